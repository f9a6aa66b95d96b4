-- Credits. Entries are the truth and never change; `users` carries their sums, for reading and for the operator,
-- who may write `UPDATE users SET credits = credits + 100 WHERE tg_user_id = ...` by hand: the difference then
-- becomes an entry of kind `adjustment`, so that sum(entries) = balance always holds.

CREATE TABLE users (
    tg_user_id bigint PRIMARY KEY,
    -- What the user may spend.
    credits integer NOT NULL DEFAULT 0,
    -- What open orders have set aside.
    held integer NOT NULL DEFAULT 0,
    CONSTRAINT users_credits_in_range CHECK (credits BETWEEN 0 AND 1000000000),
    CONSTRAINT users_held_in_range CHECK (held BETWEEN 0 AND 1000000000)
);

CREATE TABLE ledger_entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tg_user_id bigint NOT NULL REFERENCES users,
    kind text NOT NULL,
    -- Change of users.credits and of users.held.
    available integer NOT NULL,
    held integer NOT NULL,
    idempotency_key text NOT NULL,
    order_id uuid,
    job_id uuid,
    at timestamptz NOT NULL,
    CONSTRAINT ledger_entries_said_once UNIQUE (idempotency_key),
    CONSTRAINT ledger_entries_key_length CHECK (length(idempotency_key) BETWEEN 1 AND 200),
    CONSTRAINT ledger_entries_shape CHECK (CASE kind
        WHEN 'grant' THEN available > 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'purchase' THEN available > 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'adjustment' THEN available <> 0 AND held = 0 AND order_id IS NULL AND job_id IS NULL
        WHEN 'hold' THEN held > 0 AND available = -held AND order_id IS NOT NULL AND job_id IS NULL
        WHEN 'capture' THEN available = 0 AND held = -1 AND order_id IS NOT NULL AND job_id IS NOT NULL
        WHEN 'release' THEN available = 1 AND held = -1 AND order_id IS NOT NULL AND job_id IS NOT NULL
        ELSE false
    END)
);

CREATE INDEX ledger_entries_history ON ledger_entries (tg_user_id, id DESC);
CREATE UNIQUE INDEX ledger_entries_one_hold_per_order ON ledger_entries (order_id) WHERE kind = 'hold';
-- A job is captured or released, once, and never both.
CREATE UNIQUE INDEX ledger_entries_one_end_per_job ON ledger_entries (job_id) WHERE kind IN ('capture', 'release');

-- An entry moves the sums. An adjustment does not: it records a move that has already happened.
CREATE FUNCTION apply_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET credits = credits + NEW.available, held = held + NEW.held WHERE tg_user_id = NEW.tg_user_id;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entries_apply AFTER INSERT ON ledger_entries
    FOR EACH ROW WHEN (NEW.kind <> 'adjustment') EXECUTE FUNCTION apply_ledger_entry();

-- The one place where the database's own clock is read: a statement typed into psql has no other.
CREATE FUNCTION record_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    difference integer := NEW.credits - CASE WHEN TG_OP = 'UPDATE' THEN OLD.credits ELSE 0 END;
BEGIN
    INSERT INTO ledger_entries (tg_user_id, kind, available, held, idempotency_key, at)
    VALUES (NEW.tg_user_id, 'adjustment', difference, 0, 'adjustment:' || gen_random_uuid(), clock_timestamp());
    RETURN NULL;
END $$;

-- Depth 0 is a statement somebody typed; depth 1 is `apply_ledger_entry`.
CREATE TRIGGER users_adjusted AFTER UPDATE OF credits ON users
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND NEW.credits <> OLD.credits) EXECUTE FUNCTION record_adjustment();
CREATE TRIGGER users_opened AFTER INSERT ON users
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND NEW.credits <> 0) EXECUTE FUNCTION record_adjustment();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ledger_entries_never_change BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger entries never change: post a new one');
CREATE TRIGGER ledger_entries_never_truncated BEFORE TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('ledger entries never change: post a new one');
CREATE TRIGGER users_held_follows_entries BEFORE UPDATE OF held ON users
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND NEW.held <> OLD.held)
    EXECUTE FUNCTION refuse_change('users.held follows the ledger: it is not written by hand');
CREATE TRIGGER users_open_without_holds BEFORE INSERT ON users
    FOR EACH ROW WHEN (NEW.held <> 0)
    EXECUTE FUNCTION refuse_change('users.held follows the ledger: it is not written by hand');
