//! The public conformance suites against us: `scim2-tester` through its own command line, and
//! `scim-sanity`.

use std::{path::Path, process::Command};

use super::Directory;
use crate::on_both;

/// A command of the Python that `make test` prepared; none where the tools are not told.
fn tool(name: &str) -> Option<Command> {
    let python = std::env::var("IDENTITY_CENTER_TEST_PYTHON").ok();
    assert!(
        python.is_some() || std::env::var_os("IDENTITY_CENTER_TEST_COMPLETE").is_none(),
        "IDENTITY_CENTER_TEST_PYTHON must name a Python with tests/python/requirements.txt"
    );
    Some(Command::new(Path::new(&python?).with_file_name(name)))
}

/// Runs it, and says what it said.
async fn run(mut command: Command) -> (bool, String) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), text.concat())
}

on_both! {
    async fn scim_12_scim2_tester_finds_no_error(house) {
        let Some(mut tester) = tool("scim") else { return };
        let acme = Directory::new(house).await;
        tester.env("SCIM_CLI_URL", acme.base());
        tester.env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {}", acme.token));
        let (success, text) = run({ tester.args(["test", "-v"]); tester }).await;
        assert!(success, "{text}");
    }

    async fn random_patches_mean_the_same_to_scim2_models(house) {
        let Some(mut python) = tool("python") else { return };
        let acme = Directory::new(house).await;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/patches.py");
        python.arg(script).args([&acme.base(), &acme.token, "400"]);
        let (success, text) = run(python).await;
        assert!(success, "{text}");
    }

    async fn scim_sanity_finds_no_error(house) {
        let Some(mut sanity) = tool("scim-sanity") else { return };
        let acme = Directory::new(house).await;
        sanity.args(["probe", &acme.base(), "--token", &acme.token, "--i-accept-side-effects"]);
        let (success, text) = run(sanity).await;
        assert!(success, "{text}");
    }
}
