-- The breaker, what it judges by, and keys on trial.

ALTER TABLE jobs
    -- Since when an outage of the provider holds the job; its user has been told.
    ADD COLUMN held_since timestamptz,
    -- Whether it tries for all others whether the provider works again.
    ADD COLUMN is_probe boolean NOT NULL DEFAULT false;

-- A cool-down began then, or the key was last tried then.
ALTER TABLE provider_keys ADD COLUMN cooled_since timestamptz;
UPDATE provider_keys SET cooled_since = cooled_until - interval '1 hour';
ALTER TABLE provider_keys
    ALTER COLUMN cooled_since SET NOT NULL,
    -- When a submission sent after that was accepted: the cool-down is over.
    ADD COLUMN proved_at timestamptz,
    DROP CONSTRAINT provider_keys_cause,
    ADD CONSTRAINT provider_keys_cause CHECK (cause IN ('billing', 'rejected', 'rate_limited', 'faults'));

-- What the provider answered of late; older rows are removed as submissions are recorded.
CREATE TABLE provider_answers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    job_id uuid NOT NULL,
    key text NOT NULL,
    answer text NOT NULL CONSTRAINT provider_answers_answer CHECK (answer IN ('accepted', 'refused', 'fault'))
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX provider_answers_at ON provider_answers (at);

-- One row: the breaker of all hosts. Locked after the accounts and before a job.
CREATE TABLE provider_breaker (
    is_the_one boolean PRIMARY KEY DEFAULT true CONSTRAINT provider_breaker_one CHECK (is_the_one),
    is_open boolean NOT NULL DEFAULT false,
    -- When it opened, or when it last closed.
    since timestamptz,
    probe_at timestamptz,
    probes integer NOT NULL DEFAULT 0,
    probe_job uuid,
    probe_since timestamptz,
    -- Places given to jobs that wait.
    waiting bigint NOT NULL DEFAULT 0,
    CONSTRAINT provider_breaker_open CHECK (NOT is_open OR (since IS NOT NULL AND probe_at IS NOT NULL)),
    CONSTRAINT provider_breaker_probe CHECK ((probe_job IS NULL) = (probe_since IS NULL))
) WITH (fillfactor = 50);
INSERT INTO provider_breaker DEFAULT VALUES;
