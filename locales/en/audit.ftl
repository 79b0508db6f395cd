# The audit log.

audit-title = Audit log
audit-about = Every change, by whom and under which request.
audit-none = Nothing has been changed yet.
audit-action = Action
audit-object = Object
audit-none-fits = No record fits.
audit-actor = Name or id of who did it
audit-action-hint = Action or kind of object
audit-object-hint = Id of the object
audit-together = Portal session
audit-together-hint = Portal session: its sign-in and the accounts entered from it
audit-since = From day (UTC)
audit-until = To day (UTC)
audit-all = Show all
audit-csv = Download as CSV
audit-json = Download as JSON
audit-file-about = A file holds the latest 10,000 of these records.
