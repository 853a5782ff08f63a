//! Who sees a session, and who may speak for a project.

use tenterhook_dispatch::AccountId;
use tenterhook_maintenance::Error;
use tenterhook_session::{GroupConstraint, InstanceAction, InstanceConstraint, NotTaken, State};
use uuid::Uuid;

use crate::support::{Looks, Yard, ack, new, plan};

fn nobody<T: std::fmt::Debug>(told: Result<T, Error>, id: Uuid) {
    assert!(
        matches!(&told, Err(Error::NoSession(of)) if *of == id),
        "{told:?}"
    );
}

async fn tenant(yard: &Yard, name: &str) -> AccountId {
    yard.dispatcher.accounts().create(name).await.unwrap().id
}

/// Looks until a project is asked.
async fn asked(yard: &Yard, id: Uuid, project: &str) {
    let mut looks = Looks::default();
    loop {
        let session = yard.session(id).await.session;
        let asked = session.projects().get(project);
        if asked.is_some_and(|asked| asked.state.as_deref() == Some("MAINTENANCE")) {
            return;
        }
        looks.rest().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_speaks_for_its_own_project_in_the_operators_session() {
    let yard = Yard::new().await;
    let (blue, green) = (tenant(&yard, "blue").await, tenant(&yard, "green").await);
    yard.host("node-1").await;
    yard.host("node-2").await;
    // The inventory has the id without hyphens, as Keystone writes it.
    let project = blue.as_uuid().simple().to_string();
    let vm = yard.instance("vm", "node-1", &project).await;
    yard.instance("other", "node-1", "yellow").await;
    yard.hook(
        blue,
        "maintenance.scheduled",
        "echo \"$HOOK_PARAM_STATE $HOOK_PARAM_PROJECT_ID\"\n",
    )
    .await;
    let id = yard.begin(plan()).await;
    asked(&yard, id, &project).await;

    for said in [project.clone(), blue.to_string()] {
        let instances = yard.maintenance.instances(blue, id, &said).await.unwrap();
        assert_eq!(instances, std::slice::from_ref(&vm));
    }
    let reply = || ack(State::Maintenance, &[]);
    // Neither for others, nor others for it; nor is anything else of the session shown.
    nobody(yard.maintenance.instances(green, id, &project).await, id);
    nobody(yard.maintenance.instances(blue, id, "yellow").await, id);
    nobody(
        yard.maintenance
            .instances(green, id, &green.to_string())
            .await,
        id,
    );
    nobody(
        yard.maintenance.reply(green, id, &project, reply()).await,
        id,
    );
    nobody(
        yard.maintenance.reply(blue, id, "yellow", reply()).await,
        id,
    );
    nobody(yard.maintenance.session(blue, id).await, id);
    nobody(yard.maintenance.steps(blue, id).await, id);
    nobody(yard.maintenance.resume(blue, id, None).await, id);
    nobody(yard.maintenance.delete(blue, id).await, id);
    assert!(yard.maintenance.sessions(blue).is_empty());
    let unknown = yard.maintenance.instances(yard.account, id, "nobody").await;
    assert!(matches!(unknown, Err(Error::NoProject(_))), "{unknown:?}");

    let stored = yard
        .maintenance
        .reply(blue, id, &blue.to_string(), reply())
        .await
        .unwrap();
    let state = stored.session.projects()[&project].state.clone();
    assert_eq!(state.as_deref(), Some("ACK_MAINTENANCE"));

    assert_eq!(yard.play(id).await, State::MaintenanceDone);
    // Its own hooks were notified of its own project, and of no other.
    let told = yard.printed(blue, "maintenance.scheduled").await;
    assert!(
        told.contains(&format!("MAINTENANCE {project}\n")),
        "{told:?}"
    );
    assert!(told.iter().all(|told| told.contains(&project)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_known_before_it_is_asked() {
    let yard = Yard::new().await;
    let (blue, green) = (tenant(&yard, "blue").await, tenant(&yard, "green").await);
    yard.host("node-1").await;
    let vm = yard.instance("vm", "node-1", &blue.to_string()).await;
    // As long as this hook runs, no project is asked.
    yard.hook(
        yard.account,
        "session.MAINTENANCE",
        "while :; do sleep 1; done\n",
    )
    .await;
    let id = yard.begin(plan()).await;
    let instances = async |caller, project: &str| {
        let instances = yard.maintenance.instances(caller, id, project).await;
        (instances, yard.session(id).await.session.projects().len())
    };

    for caller in [yard.account, blue] {
        for name in [blue.to_string(), blue.as_uuid().simple().to_string()] {
            let (found, asked) = instances(caller, &name).await;
            assert_eq!(found.unwrap(), std::slice::from_ref(&vm));
            assert_eq!(asked, 0, "it was asked meanwhile");
        }
    }
    // An instance that is entered later makes its project known as well.
    let (unknown, _) = instances(yard.account, "yellow").await;
    assert!(matches!(unknown, Err(Error::NoProject(_))), "{unknown:?}");
    let other = yard.instance("other", "node-1", "yellow").await;
    let (found, _) = instances(yard.account, "yellow").await;
    assert_eq!(found.unwrap(), [other]);

    let reply = || ack(State::Maintenance, &[]);
    let early = yard
        .maintenance
        .reply(blue, id, &blue.to_string(), reply())
        .await;
    assert!(
        matches!(early, Err(Error::NotTaken(NotTaken::NotAsked))),
        "{early:?}"
    );
    nobody(instances(green, &blue.to_string()).await.0, id);
    nobody(instances(green, &green.to_string()).await.0, id);
    nobody(instances(blue, "yellow").await.0, id);
    yard.maintenance.delete(yard.account, id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_own_session_accepts_replies_of_no_other_account() {
    let yard = Yard::new().await;
    let (blue, green) = (tenant(&yard, "blue").await, tenant(&yard, "green").await);
    for (name, host, project) in [
        ("node-1", None, None),
        ("vm", Some("node-1"), Some(green.to_string())),
    ] {
        let server = tenterhook_dispatch::NewServer {
            name: name.into(),
            host: host.map(Into::into),
            project,
            ..Default::default()
        };
        yard.dispatcher
            .servers()
            .create(blue, server)
            .await
            .unwrap();
    }
    yard.hook(green, "maintenance.scheduled", "echo told\n")
        .await;
    let created = yard.maintenance.create(blue, new(plan())).await.unwrap();
    let id = created.session.id();
    let mut looks = Looks::default();
    loop {
        let session = yard.maintenance.session(blue, id).await.unwrap().session;
        let asked = session.projects().get(&green.to_string());
        if asked.is_some_and(|asked| asked.state.is_some()) {
            break;
        }
        looks.rest().await;
    }
    let reply = ack(State::Maintenance, &[]);
    nobody(
        yard.maintenance
            .reply(green, id, &green.to_string(), reply.clone())
            .await,
        id,
    );
    nobody(yard.maintenance.session(yard.account, id).await, id);
    // The tenant itself replies for all that it has invented.
    yard.maintenance
        .reply(blue, id, &green.to_string(), reply)
        .await
        .unwrap();
    assert!(
        yard.printed(green, "maintenance.scheduled")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_constraints_apply_only_to_its_own_instances() {
    let yard = Yard::new().await;
    let blue = tenant(&yard, "blue").await;
    yard.host("node-1").await;
    yard.host("node-2").await;
    let vm = yard.instance("vm", "node-1", &blue.to_string()).await;
    let other = yard.instance("other", "node-1", "yellow").await;
    let demand = |id: &str, project: &str| InstanceConstraint {
        instance_id: id.into(),
        project_id: project.into(),
        group_id: "g".into(),
        instance_name: "vm".into(),
        max_interruption_time: 120,
        migration_type: InstanceAction::Migrate,
        resource_mitigation: false,
        lead_time: 10,
    };
    // One of its own, and one for another tenant's instance.
    for id in [&vm, &other] {
        yard.maintenance
            .put_instance_constraint(blue, demand(id, &blue.to_string()))
            .await
            .unwrap();
    }
    let group = GroupConstraint {
        group_id: "g".into(),
        project_id: blue.to_string(),
        group_name: "pair".into(),
        anti_affinity_group: false,
        max_instances_per_host: 0,
        max_impacted_members: 1,
        recovery_time: 1,
        resource_mitigation: false,
    };
    yard.maintenance
        .put_group_constraint(blue, group)
        .await
        .unwrap();
    let mut plan = plan();
    plan.workflow = "vnf".into();
    let id = yard.begin(plan).await;
    assert_eq!(yard.play(id).await, State::MaintenanceFailed);
    let stored = yard.session(id).await;
    let told = &stored.session.failure().unwrap().reason;
    assert!(told.contains(&other) && !told.contains(&vm), "{told}");
    assert!(!told.contains("group"), "{told}");
}
