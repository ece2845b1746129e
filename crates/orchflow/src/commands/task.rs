//! `orchflow task`: the task tree.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use orchflow_protocol::task::{
    Cancel, Complete, Create, CreateParams, Delete, Export, Get, Import, ImportParams, List,
    ListParams, Move, MoveParams, Node, Start, StartParams, TaskParams, Tree, Update, UpdateParams,
};
use orchflow_types::TaskId;
use orchflow_types::task::{Task, TaskStatus};

use super::run::Choosing;
use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::stop::{Ended, Stop};
use crate::talk::{ago, count, quoted};

/// What `task` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow task                           the roots, as `orchflow task list`
  orchflow task create \"Make the login page faster\"
  orchflow task create \"Cache the users\" --parent TASK
  orchflow task tree TASK
  orchflow task start TASK                a run of it; `orchflow run --task TASK` watches it
  orchflow task export TASK > tree.json; orchflow task import tree.json")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Which
    id: TaskId,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Creates a task
    Create {
        /// One line
        title: String,
        /// All that should be known to do it
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// The task it is part of
        #[arg(long, value_name = "TASK")]
        parent: Option<TaskId>,
        /// The agent that should do it
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        /// A task that must be completed first; may be given again
        #[arg(long, value_name = "TASK")]
        depends: Vec<TaskId>,
        /// The words a tool runs
        #[arg(last = true, value_name = "CMD")]
        command: Vec<String>,
    },
    /// Lists the roots, newest first, or the children of a task
    List {
        /// The task whose children
        #[arg(long, value_name = "TASK")]
        parent: Option<TaskId>,
        /// The most to show
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        /// Where the page before ended
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Tells all that is known of a task
    Show(Which),
    /// Shows a task and all below it
    Tree(Which),
    /// Changes what is given
    Update {
        /// Which
        id: TaskId,
        /// Its new title
        #[arg(long)]
        title: Option<String>,
        /// Its new description
        #[arg(long)]
        description: Option<String>,
        /// The agent that should do it
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
    },
    /// Gives a task another parent or place
    Move {
        /// Which
        id: TaskId,
        /// The new parent; a root when not given
        #[arg(long, value_name = "TASK")]
        parent: Option<TaskId>,
        /// Its place among the new siblings, from 0; the end when not given
        #[arg(long, value_name = "N")]
        position: Option<u32>,
    },
    /// Deletes a task and all below it
    Delete(Which),
    /// Starts a run of a task and does not watch it
    Start {
        /// Which
        id: TaskId,
        #[command(flatten)]
        choosing: Choosing,
    },
    /// Marks a task as completed, by your word
    Complete(Which),
    /// Cancels a task and all below it, with the run that is at it
    Cancel(Which),
    /// Prints a task and all below it, in the shape that import takes
    Export(Which),
    /// Creates a whole tree of tasks from JSON
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
        /// The parent to put it under
        #[arg(long, value_name = "TASK")]
        parent: Option<TaskId>,
    },
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let client = cx.client().await?;
    let which = |which: Which| TaskParams { task_id: which.id };
    match args.verb.unwrap_or(Verb::List { parent: None, limit: None, cursor: None }) {
        Verb::Create { title, description, parent, agent, depends, command } => {
            let mut params =
                CreateParams { title, description, parent_id: parent, ..CreateParams::default() };
            params.spec.agent = agent;
            params.spec.depends = depends;
            params.spec.command = command;
            let task = client.call::<Create>(params).await?;
            cx.out.result(&task, |out, task| out.line(task.id));
        }
        Verb::List { parent, limit, cursor } => {
            let params = ListParams { parent_id: parent, status: None, cursor, limit };
            let result = client.call::<List>(params).await?;
            cx.out.result(&result, |out, result| {
                list(out, &result.tasks, result.next_cursor.as_deref());
            });
        }
        Verb::Show(id) => {
            let task = client.call::<Get>(which(id)).await?;
            cx.out.result(&task, tell);
        }
        Verb::Tree(id) => {
            let result = client.call::<Tree>(which(id)).await?;
            cx.out.result(&result, |out, result| {
                for line in tree(&result.tasks) {
                    out.line(line);
                }
            });
        }
        Verb::Update { id, title, description, agent } => {
            let spec = match agent {
                Some(agent) => {
                    let task = client.call::<Get>(TaskParams { task_id: id }).await?;
                    Some(orchflow_types::task::TaskSpec { agent: Some(agent), ..task.spec })
                }
                None => None,
            };
            let params =
                UpdateParams { task_id: id, title, description, mode: None, spec, metadata: None };
            let task = client.call::<Update>(params).await?;
            cx.out.result(&task, tell);
        }
        Verb::Move { id, parent, position } => {
            let params = MoveParams { task_id: id, parent_id: parent, position };
            let task = client.call::<Move>(params).await?;
            cx.out.result(&task, tell);
        }
        Verb::Delete(id) => {
            let result = client.call::<Delete>(which(id)).await?;
            cx.out.result(&result, |out, result| {
                out.talk(format_args!("deleted {}", count(result.deleted, "task", "tasks")));
            });
        }
        Verb::Start { id, choosing } => {
            let params =
                StartParams { task_id: id, dir: cx.dir_text()?, choices: choosing.choices()? };
            let result = client.call::<Start>(params).await?;
            cx.out.result(&result, |out, result| out.line(result.run_id));
        }
        Verb::Complete(id) => {
            let task = client.call::<Complete>(which(id)).await?;
            cx.out.result(&task, tell);
        }
        Verb::Cancel(id) => {
            let task = client.call::<Cancel>(which(id)).await?;
            cx.out.result(&task, tell);
        }
        Verb::Export(id) => cx.out.value(&client.call::<Export>(which(id)).await?, true),
        Verb::Import { file, parent } => {
            let params = ImportParams { tree: read_tree(&file)?, parent_id: parent };
            let result = client.call::<Import>(params).await?;
            cx.out.result(&result, |out, result| out.line(result.task_id));
        }
    }
    Ok(())
}

fn read_tree(file: &std::path::Path) -> Result<Node, Stop> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| Stop::file("read", file, &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Stop::usage(format!("{} is no task tree: {error}", file.display())))
}

fn list(out: Output, tasks: &[Task], next: Option<&str>) {
    if tasks.is_empty() {
        out.talk("there are no tasks; `orchflow task create TITLE` makes one");
        return;
    }
    let row = |task: &Task| {
        let status = format!("{:?}", task.status).to_lowercase();
        vec![task.id.to_string(), status, ago(task.updated_at), task.title.clone()]
    };
    out.table(&["TASK", "STATUS", "CHANGED", "TITLE"], &tasks.iter().map(row).collect::<Vec<_>>());
    if let Some(next) = next {
        out.talk(format_args!("more with `--cursor {}`", visible(next)));
    }
}

fn tell(out: Output, task: &Task) {
    out.line(format_args!(
        "{} {}",
        glyph(task.status),
        out.paint(Style::Bold, &visible(&task.title))
    ));
    out.line(format_args!("  id       {}", task.id));
    out.line(format_args!("  status   {}", format!("{:?}", task.status).to_lowercase()));
    if let Some(agent) = &task.spec.agent {
        out.line(format_args!("  agent    {}", visible(agent)));
    }
    if !task.spec.command.is_empty() {
        out.line(format_args!("  command  {}", visible(&quoted(&task.spec.command))));
    }
    if !task.spec.files.is_empty() {
        out.line(format_args!("  files    {}", visible(&task.spec.files.join(", "))));
    }
    for line in visible(&task.description).lines() {
        out.line(format_args!("  {line}"));
    }
}

/// One line per task, indented below its parent.
fn tree(tasks: &[Task]) -> Vec<String> {
    let mut depths: HashMap<TaskId, usize> = HashMap::new();
    let mut line = |task: &Task| {
        let depth =
            task.parent_id.and_then(|parent| depths.get(&parent)).map_or(0, |depth| depth + 1);
        depths.insert(task.id, depth);
        format!(
            "{}{} {}  {}",
            "  ".repeat(depth),
            glyph(task.status),
            visible(&task.title),
            task.id
        )
    };
    tasks.iter().map(&mut line).collect()
}

const fn glyph(status: TaskStatus) -> char {
    match status {
        TaskStatus::Pending => '○',
        TaskStatus::Active => '●',
        TaskStatus::Completed => '✓',
        TaskStatus::Failed => '✗',
        TaskStatus::Cancelled | TaskStatus::Skipped => '–',
    }
}
