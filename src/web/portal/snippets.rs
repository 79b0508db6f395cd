//! Temporary credentials as the shells and tools of this world take them (PRT-11).

use crate::{cloud::NewRoleSession, web::page::machine_time};

/// One form of the credentials.
pub(super) struct Snippet {
    /// A name for the page's own use.
    pub(super) id: &'static str,
    /// What takes it.
    pub(super) label: &'static str,
    /// How.
    pub(super) hint: &'static str,
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
            label: "macOS and Linux (bash, zsh)",
            hint: "Paste into the terminal.",
            text: lines(&|name, value| format!("export {name}='{value}'")),
        },
        Snippet {
            id: "powershell",
            label: "Windows PowerShell",
            hint: "Paste into the window.",
            text: lines(&|name, value| format!("$Env:{name} = '{value}'")),
        },
        Snippet {
            id: "cmd",
            label: "Windows Command Prompt",
            hint: "Paste into the window.",
            text: lines(&|name, value| format!("set \"{name}={value}\"")),
        },
        Snippet {
            id: "env",
            label: "Env file",
            hint: "For containers and tools that read one. Keep it out of version control.",
            text: lines(&|name, value| format!("{name}={value}")),
        },
        Snippet {
            id: "file",
            label: "tccli configuration file",
            hint: "As ~/.tccli/default.credential, for tccli and the SDKs.",
            text: format!(
                "{{\n  \"secretId\": \"{id}\",\n  \"secretKey\": \"{key}\",\n  \
                 \"token\": \"{token}\"\n}}"
            ),
        },
        Snippet {
            id: "json",
            label: "JSON (credential_process)",
            hint: "What a credential process prints.",
            text: format!(
                "{{\n  \"Version\": 1,\n  \"AccessKeyId\": \"{id}\",\n  \"SecretAccessKey\": \
                 \"{key}\",\n  \"SessionToken\": \"{token}\",\n  \"Expiration\": \"{}\"\n}}",
                machine_time(&session.expires_at)
            ),
        },
    ]
}
