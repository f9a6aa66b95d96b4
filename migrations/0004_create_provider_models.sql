-- Models the provider stopped offering, and the model a job is rendered with.

CREATE TABLE provider_models (
    model text PRIMARY KEY,
    -- Of the present opening; nothing while the circuit is closed.
    since timestamptz,
    -- When one job may try the model again. Only moved later while the circuit is open.
    open_until timestamptz,
    -- Whether the operator was told of this opening.
    alerted boolean NOT NULL DEFAULT false,
    -- The submission that tries the model out, and when it counts as gone.
    probe_attempt uuid,
    probe_until timestamptz,
    CONSTRAINT provider_models_open_whole CHECK (
        (since IS NULL) = (open_until IS NULL) AND (since IS NOT NULL OR (NOT alerted AND probe_attempt IS NULL))),
    CONSTRAINT provider_models_probe_whole CHECK ((probe_attempt IS NULL) = (probe_until IS NULL))
);

-- Of the newest submission; nothing before the first one.
ALTER TABLE jobs ADD COLUMN model text;
