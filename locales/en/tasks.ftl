# Tasks.

tasks-title = Tasks
done-task-retried = The task is tried again.
tasks-open = Under way
tasks-about = Steps towards the accounts. They go on whether or not you watch.
tasks-none = No tasks here.
tasks-under-way = Tasks are under way.
tasks-at-rest = No task is under way.
task = Task
account = Account
configuration = Configuration
identity = Identity
begun = Begun
