//! Lines: what waits in a chat's line is claimed one at a time, head first.

/// Longest error text kept with what failed, in characters.
const ERROR_CHARS_MAX: usize = 300;

/// A claim of the heads of lines, and beside it when the next one falls due: the claimed ones do at the end of their
/// lease. The head is locked with its line and looked at again: another claim may have taken and finished it since this
/// statement began, and put the line back. A line whose new head this statement cannot see yet is left for the next claim.
/// The ids are handed on as arrays, because the planner takes a LIMIT it does not know for a tenth of the table.
macro_rules! claim_heads {
    ($table:literal, $lines:literal, $id:literal, $columns:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (
                 SELECT chat_id FROM ", $lines, " WHERE due_at <= $1
                 ORDER BY due_at, chat_id LIMIT $2 FOR UPDATE SKIP LOCKED),
             heads AS MATERIALIZED (
                 SELECT h.* FROM due CROSS JOIN LATERAL (
                     SELECT m.", $id, " AS id, m.chat_id, m.failures, ", $columns, " FROM ", $table, " m
                     WHERE m.chat_id = due.chat_id AND m.done_at IS NULL
                     ORDER BY m.", $id, " LIMIT 1 FOR UPDATE) h),
             held AS (
                 UPDATE ", $lines, " SET lease_no = lease_no + 1, leased = true, due_at = $3
                 WHERE chat_id = ANY (ARRAY (SELECT chat_id FROM heads)) RETURNING chat_id, lease_no),
             next AS (
                 SELECT CASE WHEN (SELECT count(*) FROM heads) < (SELECT count(*) FROM due) THEN $1
                             WHEN (SELECT count(*) FROM due) < $2 THEN least(
                                 (SELECT min(due_at) FROM ", $lines, " WHERE due_at > $1),
                                 (SELECT $3 FROM due LIMIT 1)) END AS next_due_at)
             SELECT next.*, claimed.* FROM next LEFT JOIN (
                 SELECT heads.*, held.lease_no FROM heads JOIN held USING (chat_id)) claimed ON true ORDER BY id"
        )
    };
}
pub(super) use claim_heads;

/// Begins a statement that answers a claim: it goes on with the one row of `line` if the claim still holds. Parameters:
/// `$1` is the claimed id, `$2` the chat, `$3` the lease; `$done` says whether it leaves the line, which is due again at
/// `$due`.
macro_rules! answered_line {
    ($lines:literal, $done:literal, $due:literal) => {
        concat!(
            "WITH line AS (
                 UPDATE ",
            $lines,
            " SET leased = false, waiting = waiting - CASE WHEN ",
            $done,
            " THEN 1 ELSE 0 END,
                        due_at = CASE WHEN waiting > 1 OR NOT ",
            $done,
            " THEN ",
            $due,
            "::timestamptz END
                 WHERE chat_id = $2 AND lease_no = $3 AND leased RETURNING chat_id, waiting) "
        )
    };
}
pub(super) use answered_line;

/// Ends such a statement: the claimed row `m`, and whether the line goes on at once.
macro_rules! of_line {
    ($id:literal, $done:literal) => {
        concat!(
            " WHERE m.",
            $id,
            " = $1 AND m.chat_id = line.chat_id AND m.done_at IS NULL
              RETURNING line.waiting > 0 AND ",
            $done
        )
    };
}
pub(super) use of_line;

/// Ends a statement that put the rows of `$new` into `$lines`, each with its `chat_id`; they are due at `$at`.
macro_rules! lengthen_lines {
    ($lines:literal, $new:literal, $at:literal) => {
        concat!(
            " INSERT INTO ",
            $lines,
            " AS l (chat_id, waiting, due_at)
              SELECT chat_id, count(*), ",
            $at,
            "::timestamptz FROM ",
            $new,
            " GROUP BY chat_id ORDER BY chat_id
              ON CONFLICT (chat_id) DO UPDATE
              SET waiting = l.waiting + EXCLUDED.waiting, due_at = coalesce(l.due_at, EXCLUDED.due_at)"
        )
    };
}
pub(super) use lengthen_lines;

/// As much of an error's text as is kept. The database takes no U+0000.
pub(super) fn shortened(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(ERROR_CHARS_MAX).collect()
}
