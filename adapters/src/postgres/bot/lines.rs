//! Lines: what waits in a chat's line is claimed one at a time, head first.

/// Longest error text kept with what failed, in characters.
const ERROR_CHARS_MAX: usize = 300;

/// A claim of the heads of lines, and beside it when the next one falls due: the claimed ones do at the end of their
/// lease. The line is locked and leased with its head, because the head alone does not say that a later one, which came
/// earlier, is in somebody's hands.
macro_rules! claim_heads {
    ($table:literal, $lines:literal, $id:literal, $columns:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (
                 SELECT m.", $id, " AS id, m.chat_id FROM ", $table, " m JOIN ", $lines, " l ON l.chat_id = m.chat_id
                 WHERE m.done_at IS NULL AND m.due_at <= $1 AND (l.lease_until IS NULL OR l.lease_until <= $1)
                   AND NOT EXISTS (SELECT 1 FROM ", $table, " e WHERE e.chat_id = m.chat_id AND e.done_at IS NULL
                                   AND e.", $id, " < m.", $id, ")
                 ORDER BY m.due_at, m.", $id, " LIMIT $2 FOR UPDATE OF m, l SKIP LOCKED),
             held AS (
                 UPDATE ", $lines, " l SET lease_no = lease_no + 1, lease_until = $3 FROM due
                 WHERE l.chat_id = due.chat_id RETURNING l.chat_id, l.lease_no),
             claimed AS (
                 UPDATE ", $table, " m SET due_at = $3 FROM due WHERE m.", $id, " = due.id
                 RETURNING m.", $id, " AS id, m.chat_id, m.failures, ", $columns, "),
             next AS (
                 SELECT CASE WHEN (SELECT count(*) FROM due) < $2 THEN least(
                     (SELECT min(due_at) FROM ", $table, " WHERE done_at IS NULL AND due_at > $1),
                     (SELECT $3 FROM due LIMIT 1)) END AS next_due_at)
             SELECT next.*, claimed.*, held.lease_no
             FROM next LEFT JOIN (claimed JOIN held ON held.chat_id = claimed.chat_id) ON true ORDER BY id"
        )
    };
}
pub(super) use claim_heads;

/// Begins a statement that answers a claim: it goes on with the one row of `line` if the claim still holds. Parameters:
/// `$1` is the claimed id, `$2` the chat, `$3` the lease.
macro_rules! answered_line {
    ($lines:literal) => {
        concat!(
            "WITH line AS (
                 UPDATE ",
            $lines,
            " SET lease_until = NULL
                 WHERE chat_id = $2 AND lease_no = $3 AND lease_until IS NOT NULL RETURNING chat_id) "
        )
    };
}
pub(super) use answered_line;

/// Ends such a statement: the claimed row `m`, and whether another one waits behind it.
macro_rules! of_line {
    ($table:literal, $id:literal) => {
        concat!(
            " WHERE m.",
            $id,
            " = $1 AND m.chat_id = line.chat_id AND m.done_at IS NULL
              RETURNING EXISTS (SELECT 1 FROM ",
            $table,
            " n WHERE n.chat_id = m.chat_id AND n.done_at IS NULL
                                AND n.",
            $id,
            " <> m.",
            $id,
            ")"
        )
    };
}
pub(super) use of_line;

/// As much of an error's text as is kept. The database takes no U+0000.
pub(super) fn shortened(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(ERROR_CHARS_MAX).collect()
}
