-- Every row is something that does not add up. Each question names what it compares.
WITH sums AS (
    SELECT tg_user_id, sum(available) AS available, sum(held) AS held FROM ledger_entries GROUP BY tg_user_id
), live AS (
    SELECT tg_user_id, count(*) AS jobs FROM jobs WHERE next_run_at IS NOT NULL GROUP BY tg_user_id
), ends AS (
    SELECT job_id, max(kind) AS kind, count(*) AS entries
    FROM ledger_entries WHERE kind IN ('capture', 'release') GROUP BY job_id
)
SELECT u.tg_user_id, format('balance %s, entries add up to %s', u.credits, coalesce(s.available, 0))
FROM users u LEFT JOIN sums s USING (tg_user_id) WHERE u.credits <> coalesce(s.available, 0)
UNION ALL
SELECT u.tg_user_id, format('held %s, entries add up to %s', u.held, coalesce(s.held, 0))
FROM users u LEFT JOIN sums s USING (tg_user_id) WHERE u.held <> coalesce(s.held, 0)
UNION ALL
SELECT u.tg_user_id, format('held %s, open jobs %s', u.held, coalesce(l.jobs, 0))
FROM users u LEFT JOIN live l USING (tg_user_id) WHERE u.held <> coalesce(l.jobs, 0)
UNION ALL
SELECT o.tg_user_id, format('order %s of %s videos: hold of %s, %s jobs', o.id, o.quantity,
                            coalesce(h.held::text, 'nothing'), (SELECT count(*) FROM jobs j WHERE j.order_id = o.id))
FROM orders o LEFT JOIN ledger_entries h ON h.order_id = o.id AND h.kind = 'hold'
WHERE h.held IS DISTINCT FROM o.quantity::integer OR o.quantity <> (SELECT count(*) FROM jobs j WHERE j.order_id = o.id)
UNION ALL
SELECT j.tg_user_id, format('job %s is %s and its credit is %s', j.id, j.state, coalesce(e.kind, 'still held'))
FROM jobs j LEFT JOIN ends e ON e.job_id = j.id
WHERE coalesce(e.kind, 'none') <> CASE j.state WHEN 'done' THEN 'capture' WHEN 'refunded' THEN 'release'
                                               WHEN 'cancelled' THEN 'release' ELSE 'none' END
UNION ALL
SELECT NULL, format('job %s has %s captures and releases', e.job_id, e.entries) FROM ends e WHERE e.entries <> 1
UNION ALL
SELECT NULL, format('job %s has a %s and does not exist', e.job_id, e.kind)
FROM ends e LEFT JOIN jobs j ON j.id = e.job_id WHERE j.id IS NULL
UNION ALL
SELECT p.tg_user_id, format('purchase %s of %s credits: entry of %s', p.payload, p.credits,
                            coalesce(e.available::text, 'nothing'))
FROM purchases p LEFT JOIN ledger_entries e
    ON e.idempotency_key = 'purchase:' || p.charge AND e.kind = 'purchase' AND e.tg_user_id = p.tg_user_id
WHERE p.charge IS NOT NULL AND e.available IS DISTINCT FROM p.credits
UNION ALL
SELECT p.tg_user_id, format('refund of purchase %s took %s credits: entry of %s', p.payload, p.credits_taken,
                            coalesce((-e.available)::text, 'nothing'))
FROM purchases p LEFT JOIN ledger_entries e
    ON e.idempotency_key = 'purchase_refund:' || p.charge AND e.kind = 'purchase_refund'
       AND e.tg_user_id = p.tg_user_id
WHERE p.refunded_at IS NOT NULL AND coalesce(-e.available, 0) <> p.credits_taken
UNION ALL
SELECT e.tg_user_id, format('entry %s belongs to no purchase', e.idempotency_key)
FROM ledger_entries e LEFT JOIN purchases p
    ON p.charge = substr(e.idempotency_key, strpos(e.idempotency_key, ':') + 1)
       AND (e.kind = 'purchase' OR p.refunded_at IS NOT NULL)
WHERE e.kind IN ('purchase', 'purchase_refund') AND p.payload IS NULL
ORDER BY 1, 2
