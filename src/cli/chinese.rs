//! `--help` in Chinese: for each command and option its words.

use clap::{Arg, Command};

use crate::text::wrap;

/// Columns of the text. Clap breaks lines at spaces, of which Chinese has none.
const COLUMNS: usize = 80;
/// Where the words on an argument begin, below its name.
const INDENT: usize = 10;

const LONG_ABOUT: &str = "\
预测阿里云上的 Terway 集群何时用完 vSwitch 地址，以及为什么。

不带命令时运行 `brimline demo`：项目缘起的那篇文章里的集群，一个 /19，水位 20 到 80。";

const EXIT_CODES: &str =
    "退出码：0 完成；1 环境出错（例如文件写不了）；2 输入有误；3 某项检查或策略规则不成立，或运行次数太少、无法判断。";

/// Commands, each with what it does.
const COMMANDS: &[(&str, &str)] = &[
    ("", "预测阿里云上的 Terway 集群何时用完 vSwitch 地址，以及为什么"),
    ("demo", "模拟内置的文章集群"),
    ("run", "模拟一个场景：给出结论，写出报告"),
    ("compare", "用相同的随机数逐次比较几个场景，或一个场景的几种改动"),
    ("check", "检查场景，显示解析后的模型和每个值的来源"),
    ("sweep", "在许多点上模拟一个场景：所有组合，或拉丁超立方"),
    ("measures", "列出可以度量的量，以及条件里可以用的量"),
    ("explain", "用句子说明 Pod 为什么等待，或节点上发生了什么"),
    ("inspect", "显示某一时刻的节点，如工程师所见：terway-cli、CR、日志和事件"),
    ("seek", "寻找能守住目标的最小或最大值，或最好的折中"),
    ("schema", "打印场景文件的 JSON Schema，供编辑器使用"),
    ("completions", "打印某个 shell 的补全脚本"),
    ("man", "写出手册，每个命令一页"),
    ("conformance", "把分配核心与真实 Terway 代码的记录作比较"),
    ("conformance replay", "运行一个案例，以 JSON 打印我们的核心做了什么"),
    ("conformance check", "运行目录下的所有案例，与真实代码的回答作比较"),
    ("help", "显示本帮助，或某个命令的帮助"),
];

/// What follows the examples of a command.
const NOTES: &[(&str, &str)] = &[(
    "inspect",
    "场景会再运行一次来查看，并不保存其中的任何内容。网卡的 ID 和 MAC、命名空间以及 IPv6 地址块是虚构的：见 \
     docs/inspect.md。",
)];

/// Options and arguments by their IDs. Those of one command that differ from the others of their
/// name begin with it: `compare.set`.
const ARGUMENTS: &[(&str, &str)] = &[
    ("help", "显示帮助"),
    ("version", "显示版本"),
    ("lang", "帮助，以及 `run`、`demo` 和 `explain` 的结论与报告的语言：`zh` 为中文；其他命令的输出是英文"),
    ("file", "场景文件（YAML，见 docs/scenario.md）"),
    ("sweep.file", "场景文件；这些选项没有说的，由其中的 `sweep` 一节决定"),
    ("measures.file", "场景文件；不给出则为内置的场景"),
    ("run", "一次运行的目录，如 `output/slash19-article`，或一个场景文件"),
    ("output", "结果目录，其中每次运行一个子目录"),
    ("compare.output", "结果目录，其中每次比较一个子目录"),
    ("seek.output", "结果目录，其中每次搜索一个子目录"),
    ("seed", "随机数种子，代替场景里的"),
    ("compare.seed", "随机数种子，代替第一个场景里的"),
    ("conformance replay.seed", "这些运行的随机数种子"),
    ("set", "读入之前改动场景里的一个值，如 `terway.eni_config.max_pool_size=10`；可以多次给出"),
    ("compare.set", "读入之前改动所有场景里的一个值；可以多次给出"),
    ("inspect.set", "读入之前改动场景里的一个值，与 `run` 相同，如 `terway.version=v1.4.4`；可以多次给出"),
    ("replications", "独立运行的次数，代替场景里的"),
    ("compare.replications", "每个场景独立运行的次数，代替第一个场景里的"),
    ("seek.replications", "每个点开始时运行多少次，代替场景里的次数"),
    ("threads", "线程数，不影响结果 [默认：所有核]"),
    ("json", "打印 JSON 而不是文本"),
    ("quiet", "只打印结论：没有警告、进度和速度"),
    ("compare.quiet", "只打印结论：没有警告和进度"),
    ("seek.quiet", "只打印结论：没有进度"),
    (
        "fail_if",
        "若在任何一次运行中成立则失败（退出码 3），如 `vswitch.free.min < 10%`；或概率落在这一侧，如 \
         `P(any pod waits > 60s) > 1%`；可以多次给出",
    ),
    ("junit", "把策略的规则和结果写成 JUnit XML"),
    ("markdown", "写一份 Markdown 摘要，供合并请求使用"),
    ("conformance check.markdown", "打印一页 Markdown 而不是表格"),
    (
        "openmetrics",
        "把第一次运行写成 OpenMetrics，供 `promtool tsdb create-blocks-from openmetrics` 使用：Terway 和交换机的指标，\
         时间取自场景的日历（docs/alerts.md）。一个节点池、两个交换机时，每个仿真日约 1 MB",
    ),
    ("openmetrics_step", "两次抓取之间的时间 [默认：4m，短于 Prometheus 回看的 5m]"),
    ("openmetrics_with", "另外写出什么"),
    (
        "openmetrics_with.nodes",
        "每个节点自己的地址池，如其 daemon 所导出，而不是节点池的合计：每个节点每个仿真日约 0.1 MB",
    ),
    ("openmetrics_with.latencies", "AllocIP 和云上调用的直方图：每个节点池每个仿真日约 8 MB"),
    ("files", "场景文件；每个都与第一个比较"),
    (
        "variant",
        "也与改动后的第一个场景比较，如 `小池: terway.eni_config.max_pool_size=10; terway.eni_config.min_pool_size=0`；\
         可以多次给出",
    ),
    (
        "sweep.vary",
        "一个路径取哪些值：`terway.eni_config.max_pool_size=5,10,20`、`horizon=10d..60d/10`，或与 `--points` 一起用 \
         `node_pools.default.nodes=50..400`；多个路径取所有组合",
    ),
    (
        "seek.vary",
        "几个量之间最好的折中（`--minimise`）：改动什么，每个是一个路径和它的值，或 `--smallest` 那里的某一项；可以多次给出",
    ),
    ("points", "取拉丁超立方的 N 个点，而不是所有组合"),
    (
        "measure",
        "度量什么，如 `pods.wait.p99` 或 `P(any vswitch is full)`；`brimline measures` 列出全部 [默认：十几个]",
    ),
    (
        "compare.measure",
        "问题是关于什么的，如 `pods.never_served` 或 `P(any pod waits > 60s)`；可以多次给出：只显示和检验这些，其余的都在 compare.csv 里",
    ),
    ("minimise", "要尽量小的量，如 `vswitches.idle.mean`、`pods.wait.p99` 或 `calls`；与 `--vary` 一起可以多次给出"),
    ("such_that", "必须成立的条件，如 `P(any pod waits > 60s before 60d) <= 1 %`；可以多次给出 [默认：场景的策略]"),
    ("scan", "逐个尝试所有的值，哪怕安全范围应当只有一个终点"),
    ("at_most", "每个点最多运行多少次 [默认：400，或开始时的次数]"),
    (
        "smallest",
        "最小的安全值：`prefix(vsw-AAA)`、`copies(vsw-AAA)`（都可以写多个交换机：`prefix(vsw-a, vsw-b)`）、`max_pool_size`、\
         `min_pool_size`，或场景的一个路径和它的值：`PATH=FROM..TO/STEP`，或从小到大的 `PATH=A,B,C`",
    ),
    ("largest", "最大的安全值"),
    ("earliest", "最早的安全时间，如 `actions.NAME.at=1d..60d/1d`"),
    ("latest", "最晚的安全时间"),
    ("pod", "叫这个名字的 Pod，如 `web-17`，而不是第一个等待的"),
    ("node", "叫这个名字的节点，如 `default-3`"),
    (
        "explain.at",
        "从这时起第一个等待的 Pod；或那个 Pod 当时的经历；或那个节点前后一小时内发生的事：`40d2h`、`day 41 02:07`",
    ),
    ("inspect.at", "什么时候：从开始算起的时间 `41d3h`，或 `day 42 03:00`"),
    ("replication", "第几次运行，从 0 起"),
    ("view", "只打印哪一样，逐字节 [默认：节点的全部，带标题]"),
    ("view.mapping", "`terway-cli mapping`：哪个地址为哪个 Pod 服务"),
    ("view.show", "`terway-cli show network_service`：daemon 记下了什么"),
    ("view.pool", "`terway-cli show resource_pool`，v1.7 之前：闲置的和使用中的地址"),
    ("view.factory", "`terway-cli show factory`，v1.7 之前：弹性网卡"),
    ("view.list", "`terway-cli list`：`show` 能显示什么"),
    ("view.metadata", "`terway-cli metadata`：云在实例上挂载了什么"),
    ("view.cr", "`kubectl get nodes.network.alibabacloud.com -o yaml`：中心化 IPAM 的 CR"),
    ("view.runtime", "`kubectl get noderuntimes.network.alibabacloud.com -o yaml`"),
    ("view.podeni", "`kubectl get podenis.network.alibabacloud.com -o yaml`：节点上有自己的弹性网卡的 Pod"),
    ("view.log", "daemon 的日志，以及控制面关于该节点的日志"),
    ("view.events", "节点和其中 Pod 的事件"),
    ("layout", "`mapping` 的格式：`v1` 是 Terway v1.1 到 v1.6 的四列 [默认：该节点版本的格式]"),
    ("layout.2026", "树形，如 2026 年 7 月的版本"),
    ("layout.v1", "Status、Pod Name、Res ID、Factory Res ID 四列"),
    ("around", "日志和事件取此刻前后多久"),
    ("reference", "改为打印场景文件的参考页 docs/scenario.md"),
    ("shell", "哪个 shell"),
    ("dir", "存放 `brimline.1`、`brimline-run.1` 等的目录；不存在则创建"),
    ("conformance check.dir", "案例文件的目录"),
    ("case", "案例文件（JSON）"),
    ("runs", "打开随机性运行 N 次，打印分布"),
];

/// What a table has for a key.
fn find(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == key).map(|&(_, words)| words)
}

/// The command line with its help in Chinese.
pub(super) fn help(mut command: Command) -> Command {
    // So that what clap adds is there, too.
    command.build();
    in_chinese(command, "").long_about(broken(LONG_ABOUT, COLUMNS)).after_help(broken(EXIT_CODES, COLUMNS))
}

/// A command whose headings, arguments and commands are in Chinese; `path` names it.
fn in_chinese(command: Command, path: &str) -> Command {
    // `help` lists the other commands below it, as `help run`.
    let own = if path.ends_with("help") { "help".to_owned() } else { path.replace("help ", "") };
    let about = broken(find(COMMANDS, &own).expect("a test looks for words"), COLUMNS);
    let after = command.get_after_help().map(|help| after(&help.to_string(), path)).unwrap_or_default();
    let template = template(&command);
    let command = command.help_template(template).about(about).after_help(after);
    let command = command.mut_args(|argument| described(argument, path));
    command.mut_subcommands(|of| {
        let path = format!("{path} {}", of.get_name());
        in_chinese(of, path.trim_start())
    })
}

/// The layout of a command's help.
fn template(command: &Command) -> String {
    let parts = [
        (command.has_subcommands(), "命令：\n{subcommands}\n\n"),
        (command.get_positionals().next().is_some(), "参数：\n{positionals}\n\n"),
        (command.get_opts().next().is_some(), "选项：\n{options}"),
    ];
    let parts = parts.into_iter().filter(|(is_there, _)| *is_there).map(|(_, part)| part);
    format!("{{about-with-newline}}\n用法：{{usage}}\n\n{}{{after-help}}", parts.collect::<String>())
}

/// What a help ends with: the examples, and what follows them.
fn after(help: &str, path: &str) -> String {
    let help = help.replace("Examples:", "示例：").replace("Example:", "示例：");
    match help.split_once("\n\n") {
        Some((examples, _)) => {
            let note = find(NOTES, path).expect("a test looks for words");
            format!("{examples}\n\n{}", broken(note, COLUMNS))
        }
        None => help,
    }
}

/// An argument in words, with its default and its values.
fn described(argument: Arg, path: &str) -> Arg {
    let id = argument.get_id().as_str();
    let of_command = find(ARGUMENTS, &format!("{path}.{id}"));
    let mut words = of_command.or_else(|| find(ARGUMENTS, id)).expect("a test looks for words").to_owned();
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        words += &format!(" [默认：{}]", defaults.join("、"));
    }
    let values: Vec<_> = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let told = values.iter().filter_map(|value| Some((value, find(ARGUMENTS, &format!("{id}.{value}"))?)));
    let told: Vec<_> = told.map(|(value, words)| format!("- {value}：{words}")).collect();
    let list = if values.is_empty() { String::new() } else { format!(" [可选值：{}]", values.join("、")) };
    let long =
        if told.is_empty() { words.clone() + &list } else { format!("{words}\n\n可选值：\n{}", told.join("\n")) };
    let columns = COLUMNS - INDENT;
    let argument = argument.hide_default_value(true).hide_possible_values(true).next_line_help(true);
    argument.help(broken(&(words + &list), columns)).long_help(broken(&long, columns))
}

/// A text in lines of so many columns, items of a list in lines of their own.
fn broken(text: &str, columns: usize) -> String {
    let line = |line: &str| match line.strip_prefix("- ") {
        Some(item) => format!("- {}", wrap(item, 2, columns)),
        None => wrap(line, 0, columns),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;
    use unicode_width::UnicodeWidthStr;

    use super::super::Cli;
    use super::*;

    /// All commands but the copies below `help`, each with its path.
    fn commands(command: &Command, path: &str) -> Vec<(String, Command)> {
        let below = command.get_subcommands().filter(|_| !path.ends_with("help"));
        let below = below.flat_map(|of| commands(of, format!("{path} {}", of.get_name()).trim_start()));
        std::iter::once((path.to_owned(), command.clone())).chain(below).collect()
    }

    fn english() -> Vec<(String, Command)> {
        let mut cli = Cli::command();
        cli.build();
        commands(&cli, "")
    }

    #[test]
    fn every_command_and_option_has_chinese_words_and_no_others_have() {
        let all = english();
        let paths: BTreeSet<_> = all.iter().map(|(path, _)| path.as_str()).collect();
        let told = paths.iter().filter(|path| **path == "help" || !path.ends_with("help")).copied();
        assert_eq!(told.collect::<BTreeSet<_>>(), COMMANDS.iter().map(|&(path, _)| path).collect());
        let mut used = BTreeSet::new();
        for (path, command) in &all {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                let own = format!("{path}.{id}");
                used.insert(if find(ARGUMENTS, &own).is_some() { own } else { id.to_owned() });
                let values = argument.get_possible_values();
                used.extend(values.iter().filter_map(|v| v.get_help().map(|_| format!("{id}.{}", v.get_name()))));
            }
        }
        assert_eq!(used, ARGUMENTS.iter().map(|&(id, _)| id.to_owned()).collect());
    }

    /// Names and values stay as they are; nothing else is English, and nothing breaks on a terminal.
    #[test]
    fn help_is_chinese_in_eighty_columns() {
        for (path, mut command) in commands(&help(Cli::command()), "") {
            for text in [command.render_help(), command.render_long_help()].map(|text| text.to_string()) {
                // Usage is clap's, which does not break it in any language.
                let lines = text.lines().filter(|line| !line.starts_with("用法："));
                let wide: Vec<_> = lines.filter(|line| line.width() > COLUMNS).collect();
                assert!(wide.is_empty(), "{path}: {wide:#?}");
                for english in ["Usage", "ptions:", "default:", "possible", "Print", "xample", "The ", "help of"] {
                    assert!(!text.contains(english), "{path}: {english} in\n{text}");
                }
            }
        }
    }
}
