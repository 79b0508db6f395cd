# Tasks.

tasks-title = Tasks
done-task-retried = The task is tried again.
tasks-open = Under way
tasks-about = Steps towards the accounts. They go on whether or not you watch.
tasks-none = No tasks here.
task = Task
account = Account
configuration = Configuration
identity = Identity
begun = Begun
