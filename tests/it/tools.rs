//! The real programs that some tests drive us with: an identity provider, a browser, Python.
//!
//! `make test` prepares them and says where they are. Where one is missing, a test is skipped with
//! a note, unless everything must run.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};

/// Where the tool of that environment variable is.
fn tool(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).filter(|path| !path.is_empty());
    if found.is_none() {
        assert!(
            std::env::var_os("IDENTITY_CENTER_TEST_COMPLETE").is_none(),
            "{variable} must name a tool"
        );
        eprintln!("skipped: {variable} names no tool; `make test` prepares it");
    }
    found.map(PathBuf::from)
}

/// A file of the tree.
fn in_tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// An identity provider on `localhost`.
pub struct IdentityProvider {
    /// Its metadata document.
    pub metadata: String,
    state: TempDir,
    script: PathBuf,
}

impl IdentityProvider {
    /// Starts SimpleSAMLphp for the service that `service_metadata` describes. alice and bob can
    /// sign in there: their passwords are `alice-password` and `bob-password`, and the NameID is
    /// their name.
    pub fn start(service_metadata: &str) -> Option<Self> {
        tool("IDENTITY_CENTER_TEST_SIMPLESAMLPHP")?;
        Some(Self::run("tests/idp/simplesamlphp.sh", service_metadata, "none"))
    }

    /// Starts LemonLDAP::NG likewise. dwho and rtyler can sign in there: their passwords and the
    /// NameID are their names. `encrypts` is what it encrypts: `none` or `assertion`.
    pub fn start_lemonldap(service_metadata: &str, encrypts: &str) -> Option<Self> {
        tool("IDENTITY_CENTER_TEST_LEMONLDAP")?;
        Some(Self::run("tests/idp/lemonldap.sh", service_metadata, encrypts))
    }

    fn run(script: &str, service_metadata: &str, encrypts: &str) -> Self {
        let script = in_tree(script);
        let state = tempfile::tempdir().unwrap();
        let service = state.path().join("service.xml");
        std::fs::write(&service, service_metadata).unwrap();
        let started = Command::new(&script)
            .arg("start")
            .arg(free_port().to_string())
            .arg(service)
            .arg(state.path())
            .env("IDP_ENCRYPTS", encrypts)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let said = String::from_utf8(started.stdout).unwrap();
        assert!(started.status.success(), "{} did not start: {said}", script.display());
        let file = said.lines().find_map(|line| line.strip_prefix("METADATA_FILE=")).unwrap();
        Self { metadata: std::fs::read_to_string(file).unwrap(), state, script }
    }

    /// The origin that its pages have.
    pub fn origin(&self) -> String {
        let (_, rest) = self.metadata.split_once("entityID=\"").unwrap();
        let entity: url::Url = rest.split('"').next().unwrap().parse().unwrap();
        entity.origin().ascii_serialization()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        let _ = Command::new(&self.script).arg("stop").arg(self.state.path()).status();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Headless Chromium with a profile of its own.
pub struct Browser {
    /// Drives it.
    pub driver: WebDriver,
    chromedriver: String,
    /// For what its driver has no words for.
    http: reqwest::Client,
    process: Process,
    _profile: TempDir,
}

impl Browser {
    /// Starts it.
    pub async fn start() -> Option<Self> {
        let chromium = tool("IDENTITY_CENTER_TEST_CHROMIUM")?;
        let chromedriver = tool("IDENTITY_CENTER_TEST_CHROMEDRIVER")?;
        let profile = tempfile::tempdir().unwrap();
        let (process, port) = listening(&chromedriver);
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(chromium.to_str().unwrap()).unwrap();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            // A test browser has nobody to call home to.
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,1024",
            "--lang=en",
        ] {
            wanted.add_arg(argument).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        let chromedriver = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(&chromedriver, wanted).await.unwrap();
        Some(Self {
            driver,
            chromedriver,
            http: reqwest::Client::new(),
            process,
            _profile: profile,
        })
    }

    /// Has the browser do what only its developers' tools can; what it says.
    pub async fn developer(
        &self,
        command: &str,
        parameters: serde_json::Value,
    ) -> serde_json::Value {
        let session = self.driver.session_id();
        let address = format!("{}/session/{session}/goog/cdp/execute", self.chromedriver);
        let said = serde_json::json!({ "cmd": command, "params": parameters });
        let done = self.http.post(address).json(&said).send().await.unwrap();
        let (status, answer) = (done.status(), done.json().await.unwrap());
        assert!(status.is_success(), "{command}: {answer}");
        answer
    }

    /// Ends it. A browser that a failed test leaves behind is ended with its process group.
    pub async fn close(self) {
        self.driver.clone().quit().await.unwrap();
        drop(self.process);
    }
}

/// A chromedriver, and its port. It takes a free one for IPv4 and gives up when somebody else has the
/// same one for IPv6.
fn listening(chromedriver: &Path) -> (Process, u16) {
    for _ in 0..10 {
        let mut process = Process::start(Command::new(chromedriver).arg("--port=0"));
        if let Some(port) = process.port() {
            return (process, port);
        }
    }
    panic!("chromedriver finds no port");
}

/// A program in a process group of its own, which ends with this value.
struct Process {
    child: Child,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// The port that chromedriver tells on its first lines; none when it ends without one.
    fn port(&mut self) -> Option<u16> {
        BufReader::new(self.child.stdout.as_mut().unwrap()).lines().map_while(Result::ok).find_map(
            |line| line.strip_suffix('.')?.rsplit_once("successfully on port ")?.1.parse().ok(),
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

/// The script that looks for what keeps people out of a page.
pub fn axe() -> Option<String> {
    Some(std::fs::read_to_string(tool("IDENTITY_CENTER_TEST_AXE")?).unwrap())
}

/// A command that runs a Python program of the tree with the packages of
/// `tests/python/requirements.txt`.
pub fn python(program: &str) -> Option<Command> {
    let mut command = Command::new(tool("IDENTITY_CENTER_TEST_PYTHON")?);
    command.arg("-B").arg(in_tree(program)).stdin(Stdio::null());
    Some(command)
}

mod tests {
    use super::*;
    use crate::house::TestHouse;

    #[test]
    fn the_identity_provider_describes_itself() {
        let service = r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="http://127.0.0.1/sp">
            <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
            <AssertionConsumerService index="0" Location="http://127.0.0.1/acs"
                Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/>
            </SPSSODescriptor></EntityDescriptor>"#;
        let Some(provider) = IdentityProvider::start(service) else { return };
        assert!(provider.metadata.contains("http://localhost:"), "{}", provider.metadata);
        assert!(provider.metadata.contains("/SSOService.php"), "{}", provider.metadata);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_browser_reads_a_page() {
        let Some(browser) = Browser::start().await else { return };
        let house = TestHouse::sqlite().await;
        browser.driver.goto(house.url("/livez")).await.unwrap();
        assert!(browser.driver.source().await.unwrap().contains("ok"));
        browser.close().await;
        house.close().await;
    }
}
