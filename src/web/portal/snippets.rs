//! Temporary credentials as the shells and tools of this world take them (PRT-11).

use crate::{
    cloud::NewRoleSession,
    web::{messages::Message, page::machine_time},
};

/// One form of the credentials.
pub(super) struct Snippet {
    /// A name for the page's own use.
    pub(super) id: &'static str,
    /// What takes it.
    pub(super) label: Message,
    /// How.
    pub(super) hint: Message,
    /// The text; it holds secrets.
    pub(super) text: String,
}

/// All forms. What they quote has letters, digits and `-_.` only, so it needs no escapes.
pub(super) fn snippets(session: &NewRoleSession) -> Vec<Snippet> {
    let (id, key, token) = (&session.secret_id, &*session.secret_key, &*session.token);
    // Terraform's provider has a name of its own for the token.
    let pairs = [
        ("TENCENTCLOUD_SECRET_ID", id),
        ("TENCENTCLOUD_SECRET_KEY", key),
        ("TENCENTCLOUD_TOKEN", token),
        ("TENCENTCLOUD_SECURITY_TOKEN", token),
    ];
    let lines = |line: &dyn Fn(&str, &str) -> String| {
        let lines: Vec<String> = pairs.iter().map(|(name, value)| line(name, value)).collect();
        lines.join("\n")
    };
    vec![
        Snippet {
            id: "bash",
            label: key!("portal-snippet-bash"),
            hint: key!("portal-snippet-bash-hint"),
            text: lines(&|name, value| format!("export {name}='{value}'")),
        },
        Snippet {
            id: "powershell",
            label: key!("portal-snippet-powershell"),
            hint: key!("portal-snippet-window-hint"),
            text: lines(&|name, value| format!("$Env:{name} = '{value}'")),
        },
        Snippet {
            id: "cmd",
            label: key!("portal-snippet-cmd"),
            hint: key!("portal-snippet-window-hint"),
            text: lines(&|name, value| format!("set \"{name}={value}\"")),
        },
        Snippet {
            id: "env",
            label: key!("portal-snippet-env"),
            hint: key!("portal-snippet-env-hint"),
            text: lines(&|name, value| format!("{name}={value}")),
        },
        Snippet {
            id: "file",
            label: key!("portal-snippet-file"),
            hint: key!("portal-snippet-file-hint"),
            text: format!(
                "{{\n  \"secretId\": \"{id}\",\n  \"secretKey\": \"{key}\",\n  \
                 \"token\": \"{token}\"\n}}"
            ),
        },
        Snippet {
            id: "json",
            label: key!("portal-snippet-json"),
            hint: key!("portal-snippet-json-hint"),
            text: format!(
                "{{\n  \"Version\": 1,\n  \"AccessKeyId\": \"{id}\",\n  \"SecretAccessKey\": \
                 \"{key}\",\n  \"SessionToken\": \"{token}\",\n  \"Expiration\": \"{}\"\n}}",
                machine_time(&session.expires_at)
            ),
        },
    ]
}
