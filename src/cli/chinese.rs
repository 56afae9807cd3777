//! `--help` in Chinese: for each command and option its words.

use clap::{Arg, ArgAction, Command};

/// What the program is, in place of its own words.
const ABOUT: &str = "预测阿里云上的 Terway 集群何时用完 vSwitch 地址，以及为什么";

const LONG_ABOUT: &str = "\
预测阿里云上的 Terway 集群何时用完 vSwitch 地址，以及为什么。

不带命令时运行 `brimline demo`：项目缘起的那篇文章里的集群，一个 /19，水位 20 到 80。";

const EXIT_CODES: &str =
    "退出码：0 完成；1 环境出错（例如文件写不了）；2 输入有误；3 某项检查或策略规则不成立，或运行次数太少、无法判断。";

/// Commands, each with what it does.
const COMMANDS: &[(&str, &str)] = &[
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
];

/// Options and arguments by their IDs. Those of one command only that differ from the others of
/// their name begin with it: `compare.files`.
const ARGUMENTS: &[(&str, &str)] = &[
    ("help", "显示帮助"),
    ("version", "显示版本"),
    ("lang", "帮助、结论和报告的语言：`zh` 为中文"),
    ("file", "场景文件（YAML，见 docs/scenario.md）"),
    ("run", "一次运行的目录，如 `output/slash19-article`，或一个场景文件"),
    ("output", "结果目录，其中每次运行一个子目录"),
    ("seed", "随机数种子，代替场景里的"),
    ("set", "读入之前改动场景里的一个值，如 `terway.eni_config.max_pool_size=10`；可以多次给出"),
    ("replications", "独立运行的次数，代替场景里的"),
    ("threads", "线程数，不影响结果 [默认：所有核]"),
    ("json", "打印 JSON 而不是文本"),
    ("quiet", "只打印结论：没有警告、进度和速度"),
    (
        "fail_if",
        "若在任何一次运行中成立则失败（退出码 3），如 `vswitch.free.min < 10%`；或概率落在这一侧，如 `P(any pod waits > 60s) > 1%`；可以多次给出",
    ),
    ("junit", "把策略的规则和结果写成 JUnit XML"),
    ("markdown", "写一份 Markdown 摘要，供合并请求使用"),
    ("openmetrics", "把第一次运行写成 Prometheus 抓取到的样子(OpenMetrics)"),
    ("openmetrics_step", "两次抓取之间的时间"),
    ("openmetrics_with", "还写出什么"),
    ("files", "场景文件；每个都与第一个比较"),
    (
        "variant",
        "也与改动后的第一个场景比较，如 `小池: terway.eni_config.max_pool_size=10; terway.eni_config.min_pool_size=0`；可以多次给出",
    ),
    ("vary", "一个路径取哪些值：`terway.eni_config.max_pool_size=5,10,20`、`horizon=10d..60d/10`；多个路径取所有组合"),
    ("points", "取拉丁超立方的 N 个点，而不是所有组合"),
    (
        "measure",
        "度量什么，如 `pods.wait.p99` 或 `P(any vswitch is full)`；`brimline measures` 列出全部 [默认：十几个]",
    ),
    ("minimise", "要尽量小的量，如 `vswitches.idle.mean`、`pods.wait.p99` 或 `calls`；与 `--vary` 一起可以多次给出"),
    ("such_that", "必须成立的条件，如 `P(any pod waits > 60s before 60d) <= 1 %`；可以多次给出 [默认：场景的策略]"),
    ("scan", "逐个尝试所有的值，哪怕安全范围应当只有一个终点"),
    ("at_most", "每个点最多运行多少次 [默认：400，或开始时的次数]"),
    (
        "smallest",
        "最小的安全值：`prefix(vsw-AAA)`、`copies(vsw-AAA)`、`max_pool_size`、`min_pool_size`，或场景的一个路径和它的值：`PATH=FROM..TO/STEP`，或从小到大的 `PATH=A,B,C`",
    ),
    ("largest", "最大的安全值"),
    ("earliest", "最早的安全时间，如 `actions.NAME.at=1d..60d/1d`"),
    ("latest", "最晚的安全时间"),
    ("pod", "叫这个名字的 Pod，如 `web-17`，而不是第一个等待的"),
    ("node", "叫这个名字的节点，如 `default-3`"),
    ("at", "什么时候，如 `40d2h` 或 `day 41 02:07`"),
    ("replication", "第几次运行，从 0 起"),
    ("view", "只打印哪一样，逐字节 [默认：节点的全部，带标题]"),
    ("layout", "`mapping` 的格式：`v1` 是 Terway v1.1 到 v1.6 的四列；默认为该节点版本的格式"),
    ("around", "日志和事件取此刻前后多久"),
    ("reference", "改为打印场景文件的参考页 docs/scenario.md"),
    ("shell", "哪个 shell"),
    ("dir", "存放 `brimline.1`、`brimline-run.1` 等的目录；不存在则创建"),
];

/// The layout of help texts, with headings in Chinese.
const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// The command line with its help in Chinese.
pub(super) fn help(command: Command) -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    let command = command.disable_version_flag(true).arg(version).disable_help_subcommand(true);
    let command = in_chinese(command.about(ABOUT).long_about(LONG_ABOUT).after_help(EXIT_CODES));
    COMMANDS.iter().fold(command, |command, &(name, about)| {
        command.mut_subcommand(name, |of| {
            let examples = of.get_after_help().map(|help| help.to_string().replace("Examples:", "示例："));
            in_chinese(of.about(about)).after_help(examples.unwrap_or_default().replace("Example:", "示例："))
        })
    })
}

/// A command whose headings and arguments are in Chinese.
fn in_chinese(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let command = command.disable_help_flag(true).arg(help);
    let command = command.help_template(TEMPLATE).subcommand_help_heading("命令");
    command.mut_args(|argument| {
        let heading = if argument.is_positional() { "参数" } else { "选项" };
        let (_, words) = ARGUMENTS.iter().find(|(id, _)| argument.get_id() == id).expect("a test looks for words");
        argument.help_heading(heading).help(*words).long_help(*words)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_command_and_option_has_chinese_words_and_no_others_have() {
        let cli = Cli::command();
        let commands: BTreeSet<_> = cli.get_subcommands().map(Command::get_name).collect();
        assert_eq!(commands, COMMANDS.iter().map(|&(name, _)| name).collect());
        let all = cli.get_subcommands().chain([&cli]).flat_map(Command::get_arguments);
        let mut ids: BTreeSet<_> = all.map(|argument| argument.get_id().as_str()).collect();
        // Made here and by clap.
        ids.extend(["help", "version"]);
        assert_eq!(ids, ARGUMENTS.iter().map(|&(id, _)| id).collect());
    }
}
