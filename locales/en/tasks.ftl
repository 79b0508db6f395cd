# Tasks.

tasks-title = Tasks
done-task-retried = The task is tried again.
tasks-open = Under way
