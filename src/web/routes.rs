//! A router that can tell its routes, and who may call each.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{MethodFilter, on},
};
use tower::{Layer, Service};

use crate::app::App;

/// Who may call a route. A test sends a stranger to every route and expects a refusal wherever
/// this says anything but [`Caller::Anyone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// Everybody.
    Anyone,
    /// An administrator signed in at the console.
    Administrator,
    /// Somebody with an API key, or with temporary credentials.
    ApiCaller,
    /// A directory with a SCIM token.
    ScimClient,
    /// A monitor with the token of the settings.
    Monitor,
    /// A user signed in at the portal.
    PortalUser,
    /// A command line that a user signed in at the portal lets act as them.
    CommandLine,
    /// Somebody signed in at an account of the embedded cloud.
    CloudPrincipal,
}

/// A route: one method on one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The path, with `{names}` for its parameters.
    pub path: String,
    /// The method.
    pub method: String,
    /// Who may call it.
    pub caller: Caller,
    /// Whether the route writes although it is a GET (DESIGN §3, rule 3).
    pub writes_on_get: bool,
}

/// Routes of one or several doors.
#[derive(Default)]
pub struct Routes {
    router: Router<App>,
    listed: Vec<Route>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A GET (and with it HEAD).
    #[must_use]
    pub fn get<H, T>(self, path: &str, caller: Caller, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.on(&Method::GET, MethodFilter::GET, path, caller, handler)
    }

    /// A GET that writes: it begins something.
    #[must_use]
    pub fn get_that_writes<H, T>(self, path: &str, caller: Caller, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let mut routes = self.get(path, caller, handler);
        if let Some(route) = routes.listed.last_mut() {
            route.writes_on_get = true;
        }
        routes
    }

    /// A POST.
    #[must_use]
    pub fn post<H, T>(self, path: &str, caller: Caller, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.on(&Method::POST, MethodFilter::POST, path, caller, handler)
    }

    /// A PUT.
    #[must_use]
    pub fn put<H, T>(self, path: &str, caller: Caller, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.on(&Method::PUT, MethodFilter::PUT, path, caller, handler)
    }

    /// A PATCH.
    #[must_use]
    pub fn patch<H, T>(self, path: &str, caller: Caller, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.on(&Method::PATCH, MethodFilter::PATCH, path, caller, handler)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete<H, T>(self, path: &str, caller: Caller, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.on(&Method::DELETE, MethodFilter::DELETE, path, caller, handler)
    }

    fn on<H, T>(
        mut self,
        method: &Method,
        filter: MethodFilter,
        path: &str,
        caller: Caller,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.router = self.router.route(path, on(filter, handler));
        self.listed.push(Route {
            path: path.to_owned(),
            method: method.to_string(),
            caller,
            writes_on_get: false,
        });
        self
    }

    /// These routes and those.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }

    /// Lays middleware around all of these routes, such as a door's sessions.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<axum::extract::Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<axum::extract::Request>>::Response:
            axum::response::IntoResponse + 'static,
        <L::Service as Service<axum::extract::Request>>::Error:
            Into<std::convert::Infallible> + 'static,
        <L::Service as Service<axum::extract::Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// Changes the router in a way that adds no route: a fallback, say.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(Router<App>) -> Router<App>) -> Self {
        self.router = change(self.router);
        self
    }

    /// The list, in the order of its paths.
    pub fn list(&self) -> Vec<Route> {
        let mut listed = self.listed.clone();
        listed.sort();
        listed
    }

    /// The router.
    pub fn into_router(self) -> Router<App> {
        self.router
    }
}
