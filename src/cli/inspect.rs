//! `brimline inspect`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::again::{self, wrong};
use super::print::{tell, verbatim};
use super::{Stop, examples, quoted};
use crate::inspect::{Calendar, Classic, Inspection, Line, Process, Snapshot, inspect, mapping, show};
use crate::model::Model;
use crate::time::Span;

/// What is to be seen.
#[derive(Debug, Args)]
#[command(after_help = examples::INSPECT)]
pub(super) struct InspectArgs {
    /// Folder of a run, such as `output/slash19-article`, or a scenario file
    run: PathBuf,
    /// What to print alone, byte for byte [default: all that the node has, with headings]
    view: Option<View>,
    /// When: a time since the start, `41d3h`, or `day 42 03:00`
    #[arg(long, value_name = "TIME")]
    at: String,
    /// The node, such as `default-3`
    #[arg(long, value_name = "NAME")]
    node: String,
    /// Layout of `mapping`: `v1` has the four columns of Terway v1.1 to v1.6 [default: that of the node's version]
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// Replace a value of the scenario, as with `run`; such as `terway.version=v1.4.4`
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// How long before and after the moment log and events go
    #[arg(long, value_name = "TIME", default_value = "5m")]
    around: String,
    /// The replication, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    replication: u32,
}

/// A view of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// `terway-cli mapping`: which address serves which pod
    Mapping,
    /// `terway-cli show network_service`: what the daemon has recorded
    Show,
    /// `terway-cli show resource_pool`, before v1.7: idle and used addresses
    Pool,
    /// `terway-cli show factory`, before v1.7: the interfaces
    Factory,
    /// `terway-cli list`: what `show` knows
    List,
    /// `terway-cli metadata`: what the cloud has attached to the instance
    Metadata,
    /// `kubectl get nodes.network.alibabacloud.com -o yaml`: the CR of centralized IPAM
    Cr,
    /// `kubectl get noderuntimes.network.alibabacloud.com -o yaml`
    Runtime,
    /// `kubectl get podenis.network.alibabacloud.com -o yaml`: the node's pods with an interface of their own
    Podeni,
    /// The log of the daemon, and of the control plane about the node
    Log,
    /// Events of the node and its pods
    Events,
}

/// A layout of `mapping`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// Trees, as in July 2026
    #[value(name = "2026")]
    V2026,
    /// Status, Pod Name, Res ID, Factory Res ID
    V1,
}

/// Repeats a replication and shows a node.
pub(super) fn carry_out(args: &InspectArgs) -> Result<(), Stop> {
    let around = args.around.parse::<Span>().map_err(|error| wrong(&format!("--around: {error}")))?;
    let loaded = again::blueprint(&args.run, &args.set)?.load()?;
    let ensemble = loaded.ensemble();
    again::check_replication(&ensemble, args.replication)?;
    let model = ensemble.of(args.replication);
    let at = again::moment(model, &args.at)?;
    let (inspection, recording) =
        inspect(model, args.replication, &args.node, at, around).map_err(|unseen| wrong(&unseen.to_string()))?;
    let text = match args.view {
        Some(view) => one(view, args.layout, &inspection, model)?,
        None => all(args, &inspection, model),
    };
    verbatim(&text)?;
    if args.set.is_empty() {
        again::compare(&args.run, &recording);
    }
    Ok(())
}

/// One view of the node alone.
fn one(view: View, layout: Option<Layout>, inspection: &Inspection, model: &Model) -> Result<String, Stop> {
    let snapshot = &inspection.snapshot;
    if matches!(view, View::Mapping | View::Show | View::Pool | View::Factory | View::List) && !snapshot.runs {
        return Err(wrong(&format!(
            "the daemon of {} does not run then, so terway-cli says: rpc error: code = Unavailable desc = connection \
             error: desc = \"transport: Error while dialing: dial unix /var/run/eni/eni.socket: connect: connection \
             refused\"",
            snapshot.node
        )));
    }
    let classic = snapshot.classic.as_ref();
    let today = || wrong("this is of Terway before v1.7; today's version shows `network_service` alone: try `show`");
    let centralized = || wrong("the node has a CR under centralized IPAM only; try `mapping`");
    match view {
        View::Mapping => mapping_of(snapshot, layout),
        View::Show => {
            let empty = classic.map_or(&[][..], Classic::empty_keys);
            Ok(show::network_service(&snapshot.entries, snapshot.pending.unwrap_or(0), empty))
        }
        View::Pool => classic.map(Classic::resource_pool).ok_or_else(today),
        View::Factory => classic.ok_or_else(today)?.factory().ok_or_else(|| {
            wrong("an interface of the node is being created: the daemon dies of `show factory` then (P61)")
        }),
        View::List => Ok(classic.map_or_else(show::list, Classic::list)),
        View::Metadata => Ok(show::metadata(&snapshot.metadata)),
        View::Cr => snapshot.cr.as_ref().map(|cr| cr.node.clone()).ok_or_else(centralized),
        View::Runtime => snapshot.cr.as_ref().map(|cr| cr.runtime.clone()).ok_or_else(centralized),
        View::Podeni if snapshot.pod_enis.is_empty() => Err(wrong("no pod of the node has an interface of its own")),
        View::Podeni => Ok(snapshot.pod_enis.clone()),
        View::Log => Ok(log(&inspection.log)),
        View::Events => Ok(events(inspection, &Calendar::of(model))),
    }
}

fn mapping_of(snapshot: &Snapshot, layout: Option<Layout>) -> Result<String, Stop> {
    let layout = match (layout, &snapshot.classic) {
        (Some(Layout::V2026), Some(_)) => {
            return Err(wrong("Terway before v1.7 has no trees; leave `--layout` out for its four columns"));
        }
        (None | Some(Layout::V1), Some(classic)) if !classic.answers => {
            return Err(wrong(
                "the daemon is stuck and does not answer, so terway-cli says after 30 s: terway-cli error: rpc error: \
                 code = DeadlineExceeded desc = context deadline exceeded",
            ));
        }
        (None, Some(_)) => Layout::V1,
        (layout, _) => layout.unwrap_or(Layout::V2026),
    };
    match (layout, &snapshot.resources) {
        (Layout::V2026, _) => Ok(mapping::trees(&snapshot.interfaces, &snapshot.entries)),
        (Layout::V1, None) => {
            Err(wrong("the four columns show the pool of a node; this one has none, try `--layout 2026`"))
        }
        (Layout::V1, Some(resources)) => {
            let (table, has_error) = resources.four_columns();
            if has_error {
                tell("error exists in mapping");
            }
            Ok(table)
        }
    }
}

/// Every view that says something, each under the command that an engineer would have typed.
fn all(args: &InspectArgs, inspection: &Inspection, model: &Model) -> String {
    let Snapshot { node, at, cr, sufficient_ip, .. } = &inspection.snapshot;
    let calendar = Calendar::of(model);
    let mut views = vec![("terway-cli mapping", View::Mapping), ("terway-cli metadata", View::Metadata)];
    if cr.is_some() {
        views.push(("kubectl get nodes.network.alibabacloud.com NODE -o yaml", View::Cr));
        views.push(("kubectl get noderuntimes.network.alibabacloud.com NODE -o yaml", View::Runtime));
    }
    if !inspection.snapshot.pod_enis.is_empty() {
        views.push(("kubectl get podenis.network.alibabacloud.com -o yaml", View::Podeni));
    }
    if inspection.snapshot.classic.is_some() {
        views.push(("terway-cli show resource_pool", View::Pool));
        views.push(("terway-cli show factory", View::Factory));
    }
    views.push(("kubectl get events", View::Events));
    views.push(("kubectl logs", View::Log));
    let condition = match sufficient_ip {
        Some(true) => ", SufficientIP=True",
        Some(false) => ", SufficientIP=False",
        None => "",
    };
    let mut text = format!(
        "{node} of {}, replication {}, at {}{condition}\n",
        quoted(&args.run),
        args.replication,
        calendar.moment(*at)
    );
    for (command, view) in views {
        let shown = match one(view, args.layout, inspection, model) {
            Ok(shown) if shown.trim().is_empty() => "(nothing)\n".to_owned(),
            Ok(shown) => shown,
            Err(Stop::Input(error)) => error + "\n",
            Err(_) => unreachable!("nothing is read or written to look at a node"),
        };
        let within = match view {
            View::Events | View::Log => format!("   # within {} of {}", args.around, calendar.short(*at)),
            _ => String::new(),
        };
        text += &format!("\n$ {}{within}\n{}\n", command.replace("NODE", node), shown.trim_end());
    }
    text
}

fn log(lines: &[Line]) -> String {
    let line = |line: &Line| match line.process {
        Process::Daemon => line.text.clone() + "\n",
        Process::ControlPlane => format!("[terway-controlplane] {}\n", line.text),
    };
    lines.iter().map(line).collect()
}

fn events(inspection: &Inspection, calendar: &Calendar) -> String {
    let rows = inspection.events.iter().map(|event| {
        let kind = if event.warning { "Warning" } else { "Normal" };
        let when = calendar.short(event.at);
        format!("{when}  {kind:7}  {:22}  {}  {}\n", event.reason, event.object, event.message)
    });
    rows.collect()
}
