-- What was offered for Stars, and what became of it.

CREATE TABLE purchases (
    -- The invoice's payload.
    payload text PRIMARY KEY CONSTRAINT purchases_payload_length CHECK (octet_length(payload) BETWEEN 1 AND 128),
    tg_user_id bigint NOT NULL,
    package text NOT NULL,
    credits integer NOT NULL CONSTRAINT purchases_credits CHECK (credits > 0),
    stars integer NOT NULL CONSTRAINT purchases_stars CHECK (stars > 0),
    offered_at timestamptz NOT NULL,
    -- The payment, by the name Telegram gives it. One payment buys once.
    charge text CONSTRAINT purchases_paid_once UNIQUE,
    paid_at timestamptz,
    refunded_at timestamptz,
    -- What the refund of the payment could take back.
    credits_taken integer CONSTRAINT purchases_credits_taken CHECK (credits_taken BETWEEN 0 AND credits),
    CONSTRAINT purchases_paid_whole CHECK ((charge IS NULL) = (paid_at IS NULL)),
    CONSTRAINT purchases_refund_whole CHECK ((refunded_at IS NULL) = (credits_taken IS NULL)),
    CONSTRAINT purchases_refunded_after_payment CHECK (refunded_at IS NULL OR charge IS NOT NULL)
);

ALTER TABLE ledger_entries
    DROP CONSTRAINT ledger_entries_shape,
    ADD CONSTRAINT ledger_entries_shape CHECK (CASE kind
        WHEN 'grant' THEN available > 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'purchase' THEN available > 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'purchase_refund' THEN available < 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'adjustment' THEN available <> 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'hold' THEN held > 0 AND available = -held AND order_id IS NOT NULL AND job_id IS NULL
        WHEN 'capture' THEN available = 0 AND held = -1 AND order_id IS NOT NULL AND job_id IS NOT NULL
        WHEN 'release' THEN available = 1 AND held = -1 AND order_id IS NOT NULL AND job_id IS NOT NULL
        ELSE false
    END);
