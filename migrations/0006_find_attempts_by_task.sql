-- A task is adopted by one attempt only, which has to be looked up by the task's name.
CREATE INDEX attempts_of_task ON attempts (task_id) WHERE task_id IS NOT NULL;
