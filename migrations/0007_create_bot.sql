-- The Telegram bot: updates that were received, conversations, what answers them, and what was sent about orders.
--
-- Updates and replies each wait in lines, one a chat. A line's row is what a claim holds: one of a chat at a time, across
-- hosts, also when an earlier update arrives while a later one is in somebody's hands. It is all a claim has to look for,
-- however many wait behind the heads.

CREATE TABLE inbox_lines (
    chat_id bigint PRIMARY KEY,
    -- How many updates of the chat are not done. Counted here, because only the row itself is up to date once its lock
    -- is had.
    waiting integer NOT NULL CONSTRAINT inbox_lines_waiting CHECK (waiting >= 0),
    -- When the line's head may be claimed; a claim moves it to the end of the claim's lease.
    due_at timestamptz,
    -- Grows with every claim; every write under a lease must match it.
    lease_no bigint NOT NULL DEFAULT 0,
    -- Whether the claim was not answered for yet.
    leased boolean NOT NULL DEFAULT false,
    CONSTRAINT inbox_lines_due_while_waiting CHECK ((waiting > 0) = (due_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- Exactly the order of the claim.
CREATE INDEX inbox_lines_waiting ON inbox_lines (due_at, chat_id) WHERE due_at IS NOT NULL;

CREATE TABLE inbox (
    update_id bigint PRIMARY KEY,
    chat_id bigint NOT NULL,
    -- Empty once it was handled.
    body text NOT NULL,
    received_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    -- Handled or put aside.
    done_at timestamptz,
    parked boolean NOT NULL DEFAULT false,
    last_error text,
    CONSTRAINT inbox_parked_is_done CHECK (NOT parked OR done_at IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- The head of each line.
CREATE INDEX inbox_line ON inbox (chat_id, update_id) WHERE done_at IS NULL;
CREATE INDEX inbox_parked ON inbox (update_id) WHERE parked;
-- What may be forgotten, oldest first.
CREATE INDEX inbox_handled ON inbox (received_at) WHERE done_at IS NOT NULL AND NOT parked;

CREATE TABLE chats (
    tg_user_id bigint PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT chats_version CHECK (version > 0),
    -- Empty for a conversation at its beginning.
    dialogue text NOT NULL,
    language text NOT NULL,
    terms_accepted_at timestamptz,
    -- Written once.
    referrer bigint,
    since timestamptz NOT NULL,
    blocked_since timestamptz,
    banned_since timestamptz
) WITH (fillfactor = 70);

CREATE TABLE reply_lines (
    chat_id bigint PRIMARY KEY,
    waiting integer NOT NULL CONSTRAINT reply_lines_waiting CHECK (waiting >= 0),
    due_at timestamptz,
    lease_no bigint NOT NULL DEFAULT 0,
    leased boolean NOT NULL DEFAULT false,
    CONSTRAINT reply_lines_due_while_waiting CHECK ((waiting > 0) = (due_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX reply_lines_waiting ON reply_lines (due_at, chat_id) WHERE due_at IS NOT NULL;

-- Those that are out are deleted; what stays was given up, and says nothing any more but why.
CREATE TABLE replies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id bigint NOT NULL,
    -- JSON as text: `jsonb` refuses the character U+0000, which a user may have typed.
    action text NOT NULL,
    written_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    -- Given up.
    done_at timestamptz,
    last_error text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX replies_line ON replies (chat_id, id) WHERE done_at IS NULL;
CREATE INDEX replies_given_up ON replies (done_at) WHERE done_at IS NOT NULL;

-- What was put into the queue without answering an update, so that it is put there once.
CREATE TABLE reply_pushes (
    key text PRIMARY KEY CONSTRAINT reply_pushes_key_length CHECK (length(key) BETWEEN 1 AND 200),
    pushed_at timestamptz NOT NULL
);

CREATE TABLE order_messages (
    order_id uuid PRIMARY KEY,
    chat_id bigint NOT NULL,
    -- The one message that follows the order, once it was sent.
    message_id bigint,
    text text,
    changed_at timestamptz,
    -- The numbers of the videos that were told their end, in that order.
    ended smallint[] NOT NULL DEFAULT '{}',
    CONSTRAINT order_messages_status_whole CHECK (
        (message_id IS NULL) = (text IS NULL) AND (message_id IS NULL) = (changed_at IS NULL))
) WITH (fillfactor = 70);

CREATE TABLE sent_videos (
    job_id uuid PRIMARY KEY,
    message_id bigint NOT NULL,
    file_id text,
    sent_at timestamptz NOT NULL
);
