-- Orders, their jobs (the queue), each submission of a job, and the state of provider keys.

CREATE TABLE photos (
    -- The first 128 bits of the SHA-256 of the bytes.
    id uuid PRIMARY KEY,
    format text NOT NULL CONSTRAINT photos_format CHECK (format IN ('jpeg', 'png', 'webp')),
    bytes bytea NOT NULL,
    stored_at timestamptz NOT NULL
);
-- Pictures do not compress.
ALTER TABLE photos ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    tg_user_id bigint NOT NULL REFERENCES users,
    confirmation_id text NOT NULL,
    photo_id uuid NOT NULL REFERENCES photos,
    photo_format text NOT NULL,
    template text NOT NULL CONSTRAINT orders_template CHECK (template IN ('ugc', 'ad', 'own')),
    brief text NOT NULL,
    wishes text,
    quantity smallint NOT NULL CONSTRAINT orders_quantity CHECK (quantity IN (1, 3, 5)),
    model text NOT NULL,
    placed_at timestamptz NOT NULL,
    -- A double tap orders once.
    CONSTRAINT orders_confirmed_once UNIQUE (tg_user_id, confirmation_id)
);
CREATE INDEX orders_of_user ON orders (tg_user_id, placed_at DESC);

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    tg_user_id bigint NOT NULL REFERENCES users,
    video_number smallint NOT NULL,
    video_count smallint NOT NULL,
    created_at timestamptz NOT NULL,
    state text NOT NULL CONSTRAINT jobs_state CHECK (state IN
        ('queued', 'prompting', 'submitting', 'rendering', 'delivering', 'done', 'refunded', 'cancelled')),
    retries smallint NOT NULL DEFAULT 0,
    lost_answers smallint NOT NULL DEFAULT 0,
    delivery_failures smallint NOT NULL DEFAULT 0,
    -- Since the last step that was stored.
    rescues smallint NOT NULL DEFAULT 0,
    prompt text,
    photo_url text,
    photo_uploaded_at timestamptz,
    avoid_key text,
    -- The present attempt, from the moment it is recorded.
    attempt_id uuid,
    attempt_key text,
    -- When it was sent (submitting) or accepted (rendering).
    attempt_since timestamptz,
    task_id text,
    video_url text,
    refund_cause text,
    finished_at timestamptz,
    -- When the next step is due; nothing once the job is finished.
    next_run_at timestamptz,
    -- The order in which due steps are taken: the time of the order, or the due time once the provider has the job,
    -- later by the delay of the priority.
    sort_at timestamptz,
    -- Grows with every claim and rescue; every write under a lease must match it.
    lease_no bigint NOT NULL DEFAULT 0,
    lease_owner uuid,
    lease_until timestamptz,
    lease_deadline timestamptz,
    CONSTRAINT jobs_one_per_video UNIQUE (order_id, video_number),
    CONSTRAINT jobs_due_until_finished CHECK (
        (state IN ('done', 'refunded', 'cancelled')) = (next_run_at IS NULL)
        AND (next_run_at IS NULL) = (sort_at IS NULL)
        AND (state IN ('done', 'refunded', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT jobs_lease_whole CHECK (
        (lease_owner IS NULL) = (lease_until IS NULL) AND (lease_owner IS NULL) = (lease_deadline IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Exactly the order of the claim; the due time is there to pass over what is put off without reading its row.
CREATE INDEX jobs_ready ON jobs (sort_at, id, next_run_at) WHERE lease_owner IS NULL AND next_run_at IS NOT NULL;
CREATE INDEX jobs_next_due ON jobs (next_run_at) WHERE lease_owner IS NULL AND next_run_at IS NOT NULL;
-- Exactly the two rescues.
CREATE INDEX jobs_lease_until ON jobs (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX jobs_lease_deadline ON jobs (lease_deadline) WHERE lease_owner IS NOT NULL;
CREATE INDEX jobs_of_user ON jobs (tg_user_id, created_at DESC);
CREATE INDEX jobs_newest ON jobs (created_at DESC, id DESC);

CREATE TABLE provider_accounts (
    -- Locked while a key is chosen, so that limits hold across hosts.
    account text PRIMARY KEY
);

CREATE TABLE provider_keys (
    -- A fingerprint, never the key.
    key text PRIMARY KEY,
    -- Only ever moved later.
    cooled_until timestamptz NOT NULL,
    cause text NOT NULL CONSTRAINT provider_keys_cause CHECK (cause IN ('billing', 'rejected', 'rate_limited'))
);

CREATE TABLE attempts (
    id uuid PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES jobs,
    account text NOT NULL,
    key text NOT NULL,
    status text NOT NULL CONSTRAINT attempts_status CHECK (status IN
        ('sent', 'unanswered', 'lost', 'refused', 'running', 'failed', 'rendered')),
    task_id text,
    failure_class text,
    failure_reason text,
    -- What the provider literally said, shortened.
    evidence text,
    sent_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX attempts_of_job ON attempts (job_id);
CREATE INDEX attempts_in_flight ON attempts (account, key) WHERE status IN ('sent', 'unanswered', 'running');
CREATE INDEX attempts_rate ON attempts (account, sent_at);
