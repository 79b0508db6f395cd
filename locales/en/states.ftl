# States, kinds and steps: what the rooms know by code.

state-waiting = Waiting
state-in-progress = In progress
state-done = Done
state-failed = Failed
state-enabled = Enabled
state-disabled = Disabled
state-failing = Failing

source-manual = Manual
source-scim = SCIM
identity-user = User
identity-group = Group
policy-preset = Preset
policy-custom = Custom
deployment-deployed = Deployed
deployment-outdated = Outdated
assignment-active = Active
assignment-removing = Being removed

step-accounts = Choose accounts
step-identities = Choose users and groups
step-configurations = Choose configurations
step-review = Review

expiry-idp-certificate = A certificate of the identity provider
expiry-idp-metadata = The identity provider’s metadata
expiry-sp-key = A signing key towards the identity provider
expiry-idp-key = A signing key towards the accounts
expiry-encryption-key = An encryption key
expiry-scim-token = A SCIM token

event-create = User or group created
event-patch = Attributes changed
event-answer = Operations of asynchronous bulk requests
event-membership = Members joined or left
event-delete = User or group deleted
event-activate = User enabled
event-deactivate = User disabled
event-expiry = Certificates, keys and tokens that end soon
event-alarm = Alarms: somebody should look at once
event-verification = Test
delivery-delivered = Delivered
delivery-given-up = Given up

task-deploy = Deploy configuration
task-undeploy = Undeploy configuration
task-create-assignment = Create assignment
task-remove-assignment = Remove assignment
task-start-sync = Start user sync
task-end-sync = End user sync
task-refresh-provider = Make new keys known
task-detect-drift = Look for drift
