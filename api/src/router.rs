//! Everything that is served, put together: endpoints, guards and the edge.

use axum::{Extension, Router};

use crate::app::App;
use crate::dialect::Dialects;
use crate::edge::{self, Edge};
use crate::endpoint::Endpoint;
use crate::openapi::Documents;
use crate::{astra, croit, fenix, native, nova};

/// Every face's dialect.
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
    let router = endpoints
        .into_iter()
        .fold(Router::new(), |router, endpoint| {
            let dialect = DIALECTS.of(endpoint.face());
            endpoint.mount(router, &app, dialect)
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

/// Every call of every face.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = croit::endpoints();
    all.extend(native::endpoints());
    all.extend(astra::endpoints());
    all.extend(nova::endpoints());
    all.extend(fenix::endpoints());
    all
}
