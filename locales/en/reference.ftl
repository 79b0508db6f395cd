# The reference of the API, at /docs/api.

reference-title = API reference
reference-page-title = API
reference-what = Everything the console does, a program can do too. This reference is made from the table that calls are checked against, and its examples are what a server has answered.
reference-all = All actions
reference-for-programs = For programs
reference-search = Search actions and parameters
reference-search-short = Name or parameter
reference-on-this-page = On this page
reference-found = { $count ->
    [one] { $count } action for “{ $search }”.
   *[other] { $count } actions for “{ $search }”.
}
reference-show-all = Show all
reference-nothing-found = No action has this in its name, its description or its parameters.

# How to call
reference-calling = How to call
reference-address = Address
reference-address-is = <code>POST { $address }</code> for every action. Parameters are one JSON object, at most 10 MiB. <code>GET</code> with the parameters in the query works too, for clients that sign queries.
reference-headers = Headers
reference-headers-are = <code>X-TC-Action</code>, <code>X-TC-Version</code>, <code>X-TC-Timestamp</code> (seconds since 1970), <code>Content-Type: application/json</code>, <code>Authorization</code>; <code>X-TC-Token</code> with temporary credentials. The service is the one in the credential scope.
reference-callers = Who may call
reference-callers-are = Whoever holds an API key or temporary credentials, as far as their policies allow <code>service:Action</code>. The actions of <code>organization</code> and <code>identitycenter</code> are for principals of the management account. Each action says more.
reference-answers = Answers
reference-answers-are = Always HTTP 200 with <code>{ $envelope }</code>. The request’s id is in the header <code>X-Request-Id</code> too, and in the server’s log.
reference-errors = Errors
reference-errors-are = <code>{ $envelope }</code>. The code is for programs, the message names the parameter.
reference-lists = Lists
reference-lists-are = Most take <code>MaxResults</code> (1 to 100, 10 if not said) and <code>NextToken</code>, and answer <code>TotalCounts</code>, <code>IsTruncated</code> and <code>NextToken</code>. Where <code>Limit</code> and <code>Offset</code>, or <code>Page</code> and <code>Rp</code>, are parameters, these say which part is meant.
reference-times = Times
reference-times-are = <code>YYYY-MM-DD HH:MM:SS</code> in UTC+8, unless an example shows another form.
reference-rates = How often
reference-rates-are = Signed calls are not counted. Unsigned ones are, by address: <code>RequestLimitExceeded</code> says in how many seconds to come again.
reference-clients = Clients
reference-clients-are = The SDKs and command lines of the public API work when they are told the endpoint <code>{ $host }</code>.
reference-signature = The signature, TC3-HMAC-SHA256
reference-signature-recipe = How a request is signed
reference-signature-date = The date is that of the timestamp in UTC. A timestamp more than 300 seconds away is refused.

# Codes
reference-codes = Codes that every action can answer
reference-code = Code
reference-means = Means
reference-code-too-large = The body is over 10 MiB.
reference-code-invalid-request = The body is no JSON object.
reference-code-authorization = The header cannot be read.
reference-code-expired = The timestamp is too far away.
reference-code-no-key = There is no such key, or it is off.
reference-code-token = The token is wrong or missing, or the session has ended.
reference-code-signature = The signature is not that of the request.
reference-code-no-action = There is no such service, version or action.
reference-code-unsupported = The action is known, and not supported here.
reference-code-parameters = A parameter is not one of the action, or a required one is missing.
reference-code-type = A parameter has the wrong type.
reference-code-unauthorized = The caller’s policies do not allow it.
reference-code-internal = Something failed here. Give an administrator the request’s id.

# Services
reference-own = Our own, beside the public API.
reference-action = Action
reference-does = What it does
reference-unsupported = Known, and not supported here: { $count }
reference-unsupported-answer = They answer <code>UnsupportedOperation</code>.

# An action
reference-who-may = Who may call it
reference-administrators = A principal of the management account whose policies allow <code>{ $action }</code>.
reference-any-credential = Whoever holds a valid credential.
reference-unsigned = Whoever holds a valid credential, and whoever sends <code>Authorization: SKIP</code> instead: the proof is in the parameters.
reference-account = A principal of any account whose policies allow <code>{ $action }</code>.
reference-account-on = A principal of any account whose policies allow <code>{ $action }</code>. The resource is { $resource }.
reference-resource-new-role = the role that is to have the name { $name }
reference-resource-role = the role that { $id } or { $name } names
reference-resource-role-arn = the role of { $name }
reference-resource-policy = the policy of { $id }
reference-resource-policy-or = the policy that { $id } or { $name } names
reference-resource-policies = each policy of { $name }
reference-resource-user-named = the CAM user that { $name } names
reference-resource-user = the CAM user of { $name }, or the caller without it
reference-resource-users = each CAM user of { $name }
reference-resource-provider = the SAML provider that { $name } names
reference-parameters = Parameters
reference-no-parameters = It takes none.
reference-name = Name
reference-type = Type
reference-required = Required
reference-values = Values
reference-is-required = required
reference-is-optional = optional
reference-otherwise = otherwise <code>{ $code }</code>
reference-string = string
reference-integer = integer
reference-unsigned-integer = integer from 0
reference-boolean = boolean
reference-string-list = list of strings
reference-integer-list = list of integers
reference-object = object
reference-object-list = list of objects
reference-within = { $least } to { $most }
reference-characters = { $count ->
    [one] { $count } character
   *[other] up to { $count } characters
}
reference-entries = { $count ->
    [one] { $count } entry
   *[other] up to { $count } entries
}
reference-example = Example
reference-example-of = Example: { $title }
reference-request = Request
reference-answer = Answer
reference-not-there = There is no such action.
reference-not-supported = The action { $name } is known, and not supported here.

# Subjects
reference-subject-organization = The organization
reference-subject-space = The space
reference-subject-users = Users
reference-subject-groups = Groups
reference-subject-scim = SCIM
reference-subject-sign-in = Sign-in
reference-subject-configurations = Permission configurations
reference-subject-assignments = Assignments and deployments
reference-subject-tasks = Tasks
reference-subject-user-syncs = User syncs
reference-subject-requests = Access requests
reference-subject-policies = Policies
reference-subject-roles = Roles
reference-subject-attachments = Policies of roles and users
reference-subject-service-roles = Roles of products
reference-subject-cam-users = CAM users
reference-subject-access-keys = API keys
reference-subject-saml-providers = SAML providers
reference-subject-temporary = Temporary credentials
reference-subject-temporary-saml = Temporary credentials for a SAML response
reference-subject-sessions = Portal sessions
reference-subject-look = Who reaches what, and who changed what
reference-subject-plans = Plans
reference-subject-deployments = Deployments
reference-subject-drift = Drift
reference-subject-other-clouds = Accounts of other clouds
reference-subject-own-account = Oneself, and other administrators
reference-subject-several-users = Several users at once, and handing over to the directory
reference-subject-overview = The space at a glance
reference-subject-command-lines = Credentials for the command line
reference-subject-events = Events, and where they are sent
reference-subject-keys = Keys of the space
reference-subject-proposals = Proposals for the identity provider
reference-subject-sign-in-settings = How sign-in goes, and where metadata is fetched from
reference-subject-sign-in-tests = Test sign-ins
reference-subject-history = What came to the doors
reference-subject-directory-settings = What is decided about directories
reference-subject-all-tasks = Every task, and trying again
