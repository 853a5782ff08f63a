//! Everything that is served, put together: endpoints, guards and the edge.

use std::collections::BTreeMap;

use axum::routing::{MethodFilter, on};
use axum::{Extension, Router};
use http::Method;

use crate::app::App;
use crate::dialect::Dialects;
use crate::edge::{self, Edge};
use crate::endpoint::{Endpoint, Slash};
use crate::openapi::Documents;
use crate::{astra, croit, fenix, native, nova};

/// Every API's dialect.
pub(crate) const DIALECTS: Dialects = Dialects {
    croit: &croit::Croit,
    native: &native::Native,
    astra: &astra::Astra,
    nova: &nova::Nova,
    fenix: &fenix::Fenix,
};

/// Serves `app` without a socket; [`serve`](crate::serve) adds one.
pub fn router(app: App) -> Router {
    serving(app, endpoints())
}

/// Serves nothing but health, readiness and metrics.
pub(crate) fn probes(app: App) -> Router {
    serving(app, native::probes())
}

fn serving(app: App, endpoints: Vec<Endpoint>) -> Router {
    let documents = Documents::of(&endpoints, &DIALECTS);
    let methods = methods(&endpoints);
    let router = endpoints
        .into_iter()
        .fold(Router::new(), |router, endpoint| {
            let dialect = DIALECTS.of(endpoint.face());
            endpoint.mount(router, &app, dialect)
        });
    let router = methods.into_iter().fold(router, |router, (path, allow)| {
        let options = move || async move { edge::options(&allow) };
        router.route(&path, on(MethodFilter::OPTIONS, options))
    });
    let edge = Edge {
        app: app.clone(),
        dialects: DIALECTS,
    };
    router
        .fallback(edge::no_route)
        .method_not_allowed_fallback(edge::wrong_method)
        .layer(Extension(documents))
        .layer(axum::middleware::from_fn_with_state(edge, edge::handle))
        .with_state(app)
}

/// The methods of each path, as `Allow` lists them.
fn methods(endpoints: &[Endpoint]) -> BTreeMap<String, String> {
    let mut methods = BTreeMap::new();
    for endpoint in endpoints {
        let slashes: &[&str] = match endpoint.slash {
            Slash::No => &[""],
            Slash::Either => &["", "/"],
        };
        for slash in slashes {
            let path = format!("{}{slash}", endpoint.path);
            let allow: &mut String = methods.entry(path).or_default();
            allow.push_str(endpoint.method.as_str());
            allow.push(',');
            if endpoint.method == Method::GET {
                allow.push_str("HEAD,");
            }
        }
    }
    for allow in methods.values_mut() {
        allow.push_str("OPTIONS");
    }
    methods
}

/// Every call of every API.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = croit::endpoints();
    all.extend(native::endpoints());
    all.extend(astra::endpoints());
    all.extend(nova::endpoints());
    all.extend(fenix::endpoints());
    all
}
