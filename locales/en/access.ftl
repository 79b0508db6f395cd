# Giving and taking access: wizards, plans, configurations, accounts, user syncs.

authorization-intro = Choose accounts, then who may enter them and with which permission configurations, or as which CAM users.
tree-search = Department or account
tree-departments = { $count ->
        [one] { $count } department
       *[other] { $count } departments
    }
tree-accounts = { $count ->
        [one] { $count } account
       *[other] { $count } accounts
    }
tree-nothing = No department and no account matches “{ $search }”.
tree-more = { $count ->
        [one] { $count } more account is not shown.
       *[other] { $count } more accounts are not shown.
    } Search for it.
tree-departments-aid = A department is only a help to choose: what you set up belongs to each account and stays with it when it moves to another department. There are no rules for “every account of a department, now and later”.
tree-details = Authorisations
chosen-elsewhere = chosen, not in this list
chosen-accounts = accounts chosen
chosen-identities = users and groups chosen
chosen-configurations = permission configurations chosen
chosen-syncs = user syncs chosen
chosen-assignments = permissions chosen
chosen-deployments = deployments chosen
chosen-policies = policies chosen, at most { $most }
choose-account = Choose at least one account.
choose-identity = Choose at least one user or group.
choose-configuration = Choose at least one configuration.
choose-all = Choose all on this page
choose-all-of = Everything in { $name }
choose-sync = Choose the sync of { $name } in { $account }
choose-deployment = Choose { $name }
choose-assignment = Choose { $configuration } of { $name }
access-choose = Choose
chosen-accounts-are = { $count ->
        [one] Account:
       *[other] { $count } accounts:
    } { $names }
chosen-identities-are = { $count ->
        [one] User or group:
       *[other] { $count } users and groups:
    } { $names }
configure-role-sync = Configure CAM role sync
configure-user-sync = Configure CAM user sync
step-basics = Basic information
step-back = Back
step-next = Next
identities-search = User or group
identities-no-groups = No groups yet.
identities-no-groups-like = No group matches “{ $search }”.
identities-no-users = No users yet.
identities-no-users-like = No user matches “{ $search }”.
first-are-shown = The first { $count } are shown. Search for others.
access-groups = Groups
access-users = Users
access-create-group = Create a group
access-create-user = Create a user
access-create-configuration = Create a permission configuration
access-edit = Change
access-try-again = Try again
export-csv = Export CSV
see-which = See which
management-account = Management account
member-account = Member account
cancel-plan = Cancel
col-account = Account
col-account-id = Account id
col-actions = Actions
col-added = Added
col-change = Change
col-changed = Changed
col-cloud = Cloud
col-configuration = Permission configuration
col-configurations = Permission configurations
col-created = Created
col-department = Department
col-description = Description
col-difference = What changes
col-display-name = Display name
col-ended = Ended
col-group = Group
col-identity = Identity
col-joined = Joined
col-kind = Kind
col-members = Members
col-name = Name
col-name-type = Name and type
col-policy = Policy
col-remarks = Remarks
col-session = Session
col-source = Source
col-state = State
col-status = Status
col-sync-id = Sync id
col-task = Task
col-type = Type
col-user = User
col-user-name = User name
col-what = What
col-why = Why
plan-intro = This is what will happen. Nothing has been changed yet.
plan-stale = Something has changed since you looked. This is the plan as it is now: read it again, then confirm.
plan-refused = This cannot be done as things are. What stands in the way is below.
plan-refused-why = What stands in the way has to be removed first.
plan-unknown = Something of what was chosen is not there any more.
plan-nothing = It is not said what is to be done.
plan-none-chosen = Nothing is chosen.
plan-too-many = These are { $count } at once; at most { $most } are possible. Choose fewer.
plan-count = At least one and at most { $most } can be done at once.
plan-too-large = This concerns more than { $most } people, assignments or accounts. Do it in smaller parts.
plan-back-account = Account
plan-back-configuration = Permission configuration
plan-back-step = Step before
plan-back-users = Users
plan-back-groups = Groups
plan-assign = Review the role sync
plan-assign-do = Start role sync
plan-unassign = Remove permissions
plan-unassign-do = Remove permissions
plan-redeploy = Deploy again
plan-redeploy-do = Deploy again
plan-undeploy = Undeploy
plan-undeploy-do = Undeploy
plan-clear = Remove every authorisation
plan-clear-do = Remove authorisations
plan-sync = Review the user sync
plan-sync-do = Start user sync
plan-unsync = Remove user syncs
plan-unsync-do = Remove user syncs
plan-add-policies = Add policies
plan-add-policies-do = Add policies
plan-remove-policies = Remove a policy
plan-remove-policies-do = Remove policy
plan-delete-configuration = Delete a permission configuration
plan-delete-configuration-do = Delete
plan-delete-user = Delete a user
plan-delete-user-do = Delete
plan-delete-group = Delete a group
plan-delete-group-do = Delete
plan-accounts = Accounts ({ $count })
plan-identities = Identities ({ $users ->
        [one] { $users } user
       *[other] { $users } users
    }, { $groups ->
        [one] { $groups } group
       *[other] { $groups } groups
    })
plan-configurations = Permission configurations ({ $count })
plan-syncs = User syncs that end
plan-redeployed = { $count ->
        [one] { $count } deployment
       *[other] { $count } deployments
    }
difference-none = Nothing: what is deployed is what the configuration says.
plan-policies-of = What { $name } allows
plan-policies-added = What { $name } will allow in addition
plan-policies-none = It has no policy: whoever enters with it may do nothing.
plan-counts = The configuration then has { $presets } of { $most } preset policies and { $custom } of { $most_custom } custom ones; each stays below the size that an account’s CAM takes.
plan-conflicts = What stands in the way ({ $count })
plan-objects = What changes ({ $count })
plan-objects-none = Nothing changes.
plan-gains = Who gains what ({ $count })
plan-losses = Who loses what ({ $count })
plan-more = And { $count } more.
plan-tasks = { $count ->
        [0] No task is needed.
        [one] One task does it.
       *[other] { $count } tasks do it, each by itself.
    }
plan-tasks-failing = { $count ->
        [one] One of them is there already and will be reported as failed.
       *[other] { $count } of them are there already and will be reported as failed.
    }
plan-edit-redeploy = Accounts to which the configuration is deployed keep what they have until it is deployed again.
plan-agree = { $count ->
        [one] I have read what happens to the CAM user that is taken over, its access keys, policies, password and MFA.
       *[other] I have read what happens to the { $count } CAM users that are taken over, their access keys, policies, passwords and MFA.
    }
plan-not-agreed = Say that you have read what happens to the CAM users that are taken over.
plan-typed = This gives far-reaching power. To confirm it, type “{ $phrase }”
plan-typed-wrong = Type “{ $phrase }” exactly.
reach-ready = Ready
reach-role = Role { $name }
reach-user = CAM user { $name }
object-role = Role
object-binding = Policy of a role
object-policy = Custom policy
object-provider = SAML provider
object-cam-user = CAM user
object-assignment = Authorisation
object-user-sync = User sync
object-deployment = Deployment
object-configuration = Permission configuration
object-user = User
object-group = Group
change-create = Made
change-update = Changed
change-remove = Removed
change-take-over = Taken over
change-release = Released
conflict = In the way
conflict-exists = There already
conflict-not-found = Not there
conflict-name = Name taken by something that is not ours
conflict-in-use = Still in use
conflict-busy = A task is at it
conflict-access-keys = Has access keys
conflict-by-hand = Has to be done by hand in another cloud
conflict-managed = Kept by a directory
progress-title = What was begun together
progress-intro = Each step goes on by itself, whether or not you watch. You can leave this page and open it again.
progress-none = There is nothing that was begun like this.
progress-open = { $done } of { $total } have ended.
progress-done = { $total ->
        [one] Done.
       *[other] All { $total } are done.
    }
progress-failed = { $failed } of { $total } failed. Why stands beside each.
progress-retry = { $count ->
        [one] Try the one that failed again
       *[other] Try the { $count } that failed again
    }
tasks-all = Tasks
done-tasks-retried = What failed is tried again.
done-configuration-deleted = The permission configuration was deleted.
done-configuration-changed = The permission configuration was changed.
done-policies-removed = The policy was removed. Deploy again to make the change real.
done-user-sync-changed = The user sync was changed.
user-syncs-title = User syncs
user-syncs-intro = A user or group of the directory has a CAM user in an account. That user may do nothing until somebody gives it permissions there.
user-syncs-new = New user sync
user-syncs-search = Account name or number
user-syncs-none = No user syncs yet. Choose accounts to begin one.
user-syncs-none-like = No user sync in an account that matches “{ $search }”.
user-syncs-remove = Remove…
user-sync-heading = { $name } in { $account }
user-sync-edit = Change it
sync-description = Description
sync-duplication = If a CAM user of that name is there
sync-duplication-fixed = This cannot be changed later.
sync-take-over = Replace: take it over
sync-take-over-hint = It becomes ours with all it has; the review says what that is.
sync-keep-both = Keep both
sync-keep-both-hint = The new one gets the ending _cic.
sync-deletion = When the sync is removed
sync-keep = Keep the CAM user
sync-keep-hint = It stays in the account and is no longer ours.
sync-delete = Delete the CAM user
sync-delete-hint = Unless another sync still stands behind it, or it has access keys.
sync-mode = Processing
sync-mode-batch = Batch: a task for each identity and account
sync-users = Users ({ $count })
sync-groups = Groups ({ $count })
undeploy-title = Take { $configuration } off { $account }
undeploy-step-clear = Remove authorisations
undeploy-step-undeploy = Undeploy
undeploy-step-done = Done
undeploy-assigned = { $users ->
        [one] { $users } user
       *[other] { $users } users
    }; { $groups ->
        [one] { $groups } group
       *[other] { $groups } groups
    } can still enter with it. Their authorisations go first.
undeploy-between = The authorisations are removed; nobody can enter with { $configuration } any more. The role is still in the account. It stays there if you stop here.
undeploy-running = A task is taking the role away.
undeploy-failed = The authorisations are removed, but the role could not be taken away.
undeploy-done = Nothing of { $configuration } is left in { $account }.
undeploy-removing = { $count ->
        [one] { $count } authorisation is still being taken away.
       *[other] { $count } authorisations are still being taken away.
    } They let nobody in any more.
undeploy-clear-do = Remove authorisations…
undeploy-do = Undeploy…
undeploy-leave = Leave it so
undeploy-open = Undeploy…
redeploy-open = Deploy again…
redeploy-chosen = Deploy chosen again…
remove-permissions = Remove permissions…
unassign-undeploy = Take a role away with its last authorisation, too
add-permission = Add permission
account-tabs = About this account
tab-authorizations = Authorisations
tab-deployed = Deployed configurations
tab-user-syncs = CAM user syncs
tab-by-hand = By hand
account-search = Permission configuration
account-nobody = Nobody has been given this account.
account-nobody-like = Nobody has a configuration that matches “{ $search }” here.
account-configurations = { $count ->
        [one] { $count } configuration
       *[other] { $count } configurations
    }
account-no-deployments = No configuration is deployed here.
account-no-syncs = Nobody is synchronised as a CAM user into this account.
account-outdated = { $count ->
        [one] { $count } configuration here requires to be deployed again.
       *[other] { $count } configurations here require to be deployed again.
    }
account-steps-left = { $count ->
        [one] One thing waits for somebody to make it in this account by hand.
       *[other] { $count } things wait for somebody to make them in this account by hand.
    }
account-cloud-embedded = The embedded cloud
account-cloud-other = { $cloud }, account { $number }
account-cloud-change = Change the cloud
explorer-who = Who can reach it
configurations-banner = A configuration is a template of policies. It grants nothing by itself: assigned to somebody on an account it becomes a CAM role there. A later change becomes real in an account when it is deployed again.
configurations-search = Name or description
configurations-none = No permission configurations yet.
configurations-none-like = No configuration matches “{ $search }”.
configuration-create = Create permission configuration
configuration-create-intro = Policies are added in the next step.
configuration-create-do = Create configuration
configuration-name-hint = Letters, digits and hyphens. It cannot be changed later.
configuration-edit = Change permission configuration
configuration-edit-intro = Another session duration makes deployments outdated; description and landing page do not.
configuration-id = Configuration id
configuration-duration = Session duration
configuration-duration-hint = How long somebody stays in an account, in seconds: 900 to 43200.
configuration-landing = Landing page
configuration-landing-hint = Where somebody lands in the account: a path of the cloud’s console.
configuration-landing-none = The account’s front page
configuration-command-line = Command line
configuration-command-line-on = People get temporary credentials
configuration-command-line-off = No credentials for the command line
configuration-command-line-allow = Allow credentials
configuration-command-line-stop = Give no credentials
configuration-outdated = { $count ->
        [one] { $count } deployment needs redeployment: the configuration has changed since.
       *[other] { $count } deployments need redeployment: the configuration has changed since.
    }
configuration-tabs = About this configuration
tab-policies = Policies ({ $count })
tab-deployments = Deployments ({ $count })
policies-heading = Policies
policies-search = Policy
policies-none = No policy yet: whoever enters with this configuration may do nothing.
policies-none-like = No policy matches “{ $search }”.
policies-add = Add policies
policies-review = Review
policies-limits = The configuration has { $presets } of { $most } preset policies and { $custom } of { $most_custom } custom ones.
presets-search = Policy or product
policy-bound = Bound
policy-remove = Remove…
policy-in-words = In plain words
policy-unreadable = What it says cannot be read: take it for the worst.
policy-on = {""}, on { $resources }
policy-if = {""}, only if { $conditions }
policy-every-service = every service
policy-allow-everything = Allows everything
policy-deny-everything = Denies everything
policy-allow-look-everywhere = Allows looking at everything, changing nothing
policy-deny-look-everywhere = Denies looking at anything
policy-allow-all = Allows everything in { $service }
policy-deny-all = Denies everything in { $service }
policy-allow-look = Allows looking at { $service }, changing nothing
policy-deny-look = Denies looking at { $service }
policy-allow-some = Allows in { $service }: { $actions }{ $more ->
        [0] {""}
       *[other] , and { $more } more
    }
policy-deny-some = Denies in { $service }: { $actions }{ $more ->
        [0] {""}
       *[other] , and { $more } more
    }
risk-nothing = Allows nothing
risk-reads = Reads
risk-changes = Changes
risk-broad = Broad
risk-privileged = High privilege
deployments-heading = Deployments
deployments-none = Not deployed anywhere. The first assignment on an account deploys it there.
deployment-versions = version { $deployed } is there, { $current } is current

# Drift
drift-title = Drift
drift-intro = What Identity Center manages in the accounts, and is not as it was deployed. Accounts are looked at from time to time, and when you ask.
drift-look = Look now
drift-open = Open
drift-with-ignored = With those ignored
drift-checking = { $count ->
        [one] { $count } account is being looked at.
       *[other] { $count } accounts are being looked at.
    }
drift-none = Everything is as it was deployed.
drift-recorded = As deployed
drift-found = As found
drift-since = Found
drift-ignored-until = Ignored until
drift-changed = Changed
drift-missing = Missing
drift-extra = Extra
drift-repair = Repair
drift-adopt = Adopt
drift-ignore = Ignore
drift-days = Days
drift-answers = Repair makes it as it was deployed, by a task. Adopt takes what is there for what is wanted. Ignore says nothing of it for that many days.
drift-none-chosen = Choose at least one, and at most 50.
chosen-drift = findings chosen
done-drift-looking = The accounts are being looked at.
done-drift-nothing = There is no account to look at yet.
done-drift-adopted = What is there counts as deployed from now on.
done-drift-ignored = Nothing is said of it until then.
done-drift-repairing = It is being repaired.

# Who can reach what
explorer-title = Access explorer
explorer-intro = Who can reach what, and why. Look from a user, a group, an account or a permission configuration.
explorer-search = User, group, account or configuration
explorer-from = Look from
explorer-nothing = Nothing matches “{ $search }”.
explorer-everything = Show everything
explorer-picture = As a picture
explorer-picture-about = Users on the left, the groups they come through in the middle, what they reach on the right. The table below says the same.
explorer-rows = { $count ->
        [one] { $count } way
       *[other] { $count } ways
    }
explorer-none = Nobody reaches anything here.
explorer-through = through
explorer-direct = directly

# Who may ask for what
scopes-title = Who may ask for what
scopes-intro = Users ask at the portal for access for a while. They can ask for what is listed here, themselves or through a group.
scopes-new = Let somebody ask
scopes-new-intro = Everybody chosen may ask for each chosen configuration on each chosen account; at most 50 combinations at once.
scopes-who = Who
scopes-none = Nobody may ask for anything yet.
scopes-none-like = No configuration that somebody may ask for matches “{ $search }”.
scopes-end = End…
scopes-end-ask = May { $name } no longer ask for { $configuration } on { $account }?
scopes-end-about = What is asked for already can then not be approved any more. Access that was granted stays until it ends.
scopes-end-do = End
scopes-allow = Let them ask
done-scopes-created = They may ask for it from now on.
done-scope-deleted = It cannot be asked for any more.
difference-versions = version { $old } to { $new }

# By hand, in other clouds
by-hand-none = Nothing is to be made here by hand. An assignment or a deployment will ask for it.
by-hand-made = Made
by-hand-delete = To be deleted
by-hand-change = To be changed
by-hand-make = To be made
by-hand-provider = Make a SAML identity provider of this name, or change it, with our metadata:
by-hand-certificates = Certificates in it (SHA-256)
by-hand-longest = Longest session
by-hand-trust = Who may assume it
by-hand-nobody = Nobody is to enter with it any more. Delete it in the account.
by-hand-deleted = I have deleted it
by-hand-there = It is there just so
cloud-heading = Cloud of { $name }
account-cloud-title = Where this account is
cloud-intro = Into an account of another cloud nothing of ours reaches. What is to be there is written down for you to make; once you say that it is there, people can enter. Their sessions there end when that cloud ends them.
cloud-number = Account number there
cloud-number-hint = Of an account in another cloud. Twelve digits at Amazon Web Services.
cloud-region = Region to sign in at
cloud-region-hint = Only for Amazon Web Services, such as eu-west-1. Without one its global sign-in.

# Access requests
requests-intro = Users ask at the portal for access for a while. Approved access ends by itself.
requests-none = No requests here.
request-access = Access
request-for = For
request-asked = Asked
request-until = until
request-opinion = What you say about it
request-approve = Approve
request-reject = Reject
