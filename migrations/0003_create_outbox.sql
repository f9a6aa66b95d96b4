-- Messages, committed with the step that caused them and sent afterwards.

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    audience text NOT NULL CONSTRAINT outbox_audience CHECK (audience IN ('user', 'operator')),
    tg_user_id bigint,
    video_number smallint,
    video_count smallint,
    kind text NOT NULL,
    details jsonb NOT NULL,
    written_at timestamptz NOT NULL,
    -- When it may be claimed; a claim moves it to the end of the claim's lease.
    due_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    lease_no bigint NOT NULL DEFAULT 0,
    -- Sent or given up.
    done_at timestamptz,
    last_error text,
    CONSTRAINT outbox_user_named CHECK ((audience = 'user') = (tg_user_id IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX outbox_waiting ON outbox (id) WHERE done_at IS NULL;
-- A later message of an order waits for the earlier ones.
CREATE INDEX outbox_line ON outbox (order_id, audience, id) WHERE done_at IS NULL;
