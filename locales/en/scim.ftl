# Settings: SCIM.

scim-title = SCIM
brake-off = Off
brake-lifted = Lifted
brake-holds = Holds
brake-ready = Ready
done-token-enabled = The token was enabled.
done-token-disabled = The token was disabled.
done-token-deleted = The token was deleted.
done-brake-lifted = The brake is lifted. The directory's next attempts pass.
done-brake-back = The brake is back.
done-settings-saved = The settings were saved.
done-schema-registered = The schema was registered. Its values come with the next push.
done-schema-removed = The schema was removed, with every value of it.
deletion-gone = Gone
scim-about = Your directory pushes users and groups here. What it made is changed there, not here.
scim-new-token = The new token
scim-copy-now = Copy or download it now: it is shown this once and can never be read again.
scim-copy-token = Copy the token
scim-download = Download as CSV
scim-token-expired = The token <code>{ $id }</code> has expired: a directory that uses it is refused.
scim-token-expires = The token <code>{ $id }</code> expires: { $left }.
scim-second-token = Create a second one and enter it at the directory; both work until you delete this one.
scim-sync = Synchronisation
scim-base-url = SCIM base URL
scim-tokens = Tokens
scim-at-most-two = At most two
scim-valid-for = Valid for
scim-90-days = 90 days
scim-1-year = 1 year
scim-3-years = 3 years
scim-create-token = Create token
scim-no-token = No token yet: no directory can push.
scim-token-id = Token id
scim-delete-token = Delete the token { $id }?
scim-delete-token-about = A directory that uses it is refused from now on.
scim-brake = Mass-change brake
scim-brake-change = Change the numbers
scim-brake-going = { $count ->
    [one] { $count } went within that time.
   *[other] { $count } went within that time.
}
scim-brake-until = Everything passes until
scim-brake-put-back = Put the brake back
scim-brake-lift = Lift it for
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
scim-let-go = Let them go
scim-brake-off-about = It is switched off: a directory that goes wrong can delete everybody it made.
scim-refusals = Latest refusals
scim-all-requests = All requests
scim-no-refusals = Nothing that a directory asked was refused.
scim-brake-holds = The mass-change brake holds since
scim-brake-holds-about = The directory wants to disable or delete more users than is usual. Its requests change nothing until somebody lets them pass.
scim-brake-asked = What it asked
scim-brake-decide = Decide
scim-deletions = Deletions
scim-deletions-about = Who was deleted at the directory. They are gone at once: nobody signs in, and nothing they held confers anything. Tasks take the rest off the accounts.
scim-no-deletions = No directory has deleted anybody.
who = Who
deleted = Deleted
scim-held = What it held
scim-held-short = Held
scim-of-members = { $count ->
    [one] of { $count } member
   *[other] of { $count } members
}
scim-requests-about-it = Requests about it
scim-user-sync = user sync
scim-more-tasks = And { $count } more, under <a href="/console/tasks">Tasks</a>.
field = Field
scim-more-changes = { $count ->
    [one] And { $count } change more, in the audit log.
   *[other] And { $count } changes more, in the audit log.
}
scim-tried-again = Tried again
scim-requests-short = Requests
scim-tried-again-about = The request went through everything as if it came now. Nothing was written.
then-when = Then
now-when = Now
scim-off-now = SCIM is off now: the directory itself would be refused.
scim-sent-with = It was sent with { $header }: <code>{ $value }</code>, as then.
scim-would-change = What it would change
scim-answer = The answer
scim-no-body = It has no body.
scim-too-long = It is longer than a page should be.
scim-try-nothing = Try again, changing nothing
scim-told = The directory was told: “{ $detail }”
scim-whom = About
query = Query
client = Client
scim-from = from { $address }
scim-token = Token
took = Took
request-id = Request id
scim-failed = What failed
scim-operation = Operation
scim-told-short = The directory was told
scim-means = What it means
scim-all-operations = All of them
scim-body = Body
scim-bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
}
scim-not-whole = not kept whole
scim-refusal-about = The refusal is about <a href="#operation">Operations[{ $number }]</a>.
scim-failure-about = The first failure is about <a href="#operation">Operations[{ $number }]</a>.
scim-body-dropped = The body was no JSON and may have held a secret, so it was not kept.
scim-changed = What it changed
scim-requests = SCIM requests
scim-requests-about = Everything that directories asked, the latest first. Passwords are not recorded.
scim-find = User or group: name or id
scim-users-and-groups = Users and groups
scim-done-and-refused = Done and refused
scim-method = Method
scim-all-methods = All methods
scim-no-requests = No directory has asked anything yet.
scim-no-request-fits = No request fits.
scim-request = Request
scim-schemas = SCIM schemas
scim-schemas-about = Attributes of your own that your directory may push: their types are checked, they can be filtered and sorted, and those that are unique stay so.
scim-registered = Registered
scim-at-most = At most { $count }
scim-no-schemas = None yet: attributes of other schemas are ignored.
scim-schema = Schema
scim-extends = Extends
scim-attributes = Attributes
scim-document = Document
scim-remove-schema = Remove { $name }?
scim-remove-schema-about = Every value of its attributes is deleted with it. What the directory sends of it later is ignored.
scim-register-heading = Register a schema
scim-register = Register
scim-switches = SCIM switches
scim-switches-about = As they stand when nobody touches them they suit every directory that is known.
scim-clients = Clients
scim-clients-disagree = Where clients disagree
scim-brake-short = Brake
scim-kept-long = How long requests are kept
scim-off-title = Turn SCIM off?
scim-off-about = Requests of the directory are refused until it is on again. Administrators may then change by hand what the directory made.
scim-on-title = Turn SCIM on?
scim-on-since = Since SCIM was turned off, administrators have changed users and groups that the directory made:
scim-on-edited = { $count ->
    [one] { $count } was edited. The directory overwrites it with its next cycle.
   *[other] { $count } were edited. The directory overwrites them with its next cycle.
}
scim-on-deleted = { $count ->
    [one] { $count } was deleted. The directory may create it again, without what it had.
   *[other] { $count } were deleted. The directory may create them again, without what they had.
}
scim-why-heading = SCIM memberships
scim-why = Why is this person in this group, or not?
scim-why-about = Out of the requests and changes on record.
scim-why-ask = Why?
scim-member = Member
scim-no-member = No member
scim-the-user = The user
scim-the-group = The group
scim-user-requests = Requests about the user
scim-group-requests = Requests about the group
scim-made-so = What made it so
scim-nothing = Nothing on record.
scim-happened = What happened
scim-brake-hours = The brake is lifted for 1, 4 or 24 hours.
scim-brake-rule = Holds when more than { $users } users and more than { $percent } % go within { $window }.
scim-held-nothing = Held no access of its own.
scim-taken-away = { $done } of { $all } taken away.
scim-taken-away-failed = { $done } of { $all } taken away, { $failed } failed.
scim-tab-connection = Connection
scim-tab-requests = Requests
scim-tab-deletions = Deletions
scim-tab-memberships = Memberships
scim-tab-schemas = Schemas
scim-tab-switches = Switches
scim-verdict-done-done = It was done, and would be done today.
scim-verdict-done-refused = It was done, and would be refused today.
scim-verdict-refused-done = It was refused, and would be done today.
scim-verdict-refused-refused = It was refused, and would be refused today.
scim-no-such-request = There is no such request, or it is no longer kept.
scim-schema-document = Schema document
scim-schema-document-hint = JSON as in RFC 7643 §7: id, name, description and attributes with name, type, multiValued, required, caseExact, uniqueness.
scim-choose-kind = Choose users or groups.
scim-no-schema = There is no such schema.
scim-set-patch = Answer PATCH with 204 and no body
scim-set-patch-hint = For strict validators of Entra ID. Otherwise the answer is 200 with the resource.
scim-set-empty = Show an empty list of members
scim-set-empty-hint = For authentik up to 2026.5, which fails on groups that leave it out.
scim-set-unknown = Refuse members that are no users here
scim-set-unknown-hint = For directories that push users first and should learn of mistakes. Otherwise such a member is kept and confers nothing until the user comes.
scim-set-equal = Let several groups have one name
scim-set-equal-hint = For directories in which names of groups are not unique, as in Entra ID.
scim-set-renames = Refuse new user names
scim-set-renames-hint = For auditors who want a user name to mean one person for ever. Otherwise a new name is taken over, and id, groups and permissions stay.
scim-set-brake = Hold mass changes
scim-set-brake-hint = A directory that would disable or delete more users than both numbers say is held until an administrator lets it pass.
scim-set-users = Users
scim-set-users-hint = So many may go whatever the share.
scim-set-percent = Percent of all users
scim-set-percent-hint = Such a share may go whatever the number.
scim-set-window = Seconds that are looked back
scim-set-window-hint = 3600 is an hour, 604800 a week.
scim-set-days = Days
scim-set-days-hint = Older requests are forgotten; the audit log is not.
scim-set-megabytes = Megabytes
scim-set-megabytes-hint = When there are more, the oldest requests are forgotten.
no-whole-number = This is not a whole number.
less-than-a-day = Less than a day left
scim-no-such-token = There is no such token.
scim-user-hint = User name or id.
scim-group-hint = Name or id.
scim-no-such-user = There is no such user.
scim-no-such-group = There is no such group.
scim-several-groups = Several groups have this name: give the id.
