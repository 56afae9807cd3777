//! What `--help` shows last: commands that work as they stand, in the folder of the repository.

pub(super) const DEMO: &str = "\
Examples:
  brimline demo
  brimline demo --set terway.eni_config.max_pool_size=5 --replications 5";

pub(super) const RUN: &str = "\
Examples:
  brimline run scenarios/rollout-surge.yaml
  brimline run scenarios/rollout-surge.yaml \\
      --set vpc.vswitches.vsw-pods.cidr=10.1.0.0/23
  brimline run scenarios/slash19-article.yaml --openmetrics future.txt
  brimline run scenarios/rollout-surge.yaml \\
      --fail-if 'P(any pod waits > 60s) > 5%' --junit junit.xml";

pub(super) const COMPARE: &str = "\
Examples:
  brimline compare scenarios/slash19-article.yaml \\
      scenarios/slash19-defaults.yaml
  brimline compare scenarios/slash19-article.yaml \\
      --variant 'small pools: terway.eni_config.max_pool_size=25' \\
      --measure vswitch.time_to_full --measure pods.never_served";

pub(super) const CHECK: &str = "\
Examples:
  brimline check scenarios/two-vswitches.yaml
  brimline check scenarios/two-vswitches.yaml --set horizon=30d";

pub(super) const SWEEP: &str = "\
Examples:
  brimline sweep scenarios/slash19-article.yaml \\
      --vary terway.eni_config.max_pool_size=25,50,80
  brimline sweep scenarios/slash19-article.yaml \\
      --vary node_pools.default.nodes.linear.to=100..400 --points 20 \\
      --measure 'P(any vswitch is full)'";

pub(super) const MEASURES: &str = "\
Example:
  brimline measures scenarios/two-vswitches.yaml";

pub(super) const EXPLAIN: &str = "\
Examples:
  brimline explain scenarios/teaching-slash26.yaml
  brimline explain output/slash19-article --node default-3 --at 'day 49 09:15'";

pub(super) const INSPECT: &str = "\
Example:
  brimline inspect output/slash19-article --at 'day 50 03:00' \\
      --node default-17 mapping

The scenario is run again to see it; nothing of it is stored. IDs and MACs of interfaces, namespaces and \
IPv6 blocks are made up: docs/inspect.md says which.";

pub(super) const SEEK: &str = "\
Examples:
  brimline seek scenarios/slash19-article.yaml \\
      --smallest 'prefix(vsw-AAA)' --such-that 'P(any vswitch is full) <= 5 %'
  brimline seek scenarios/slash19-article.yaml \\
      --vary max_pool_size=20..80/20 --vary min_pool_size=0,20 \\
      --minimise vswitches.idle.mean --minimise pods.wait.p99";

pub(super) const SCHEMA: &str = "\
Examples:
  brimline schema > scenario.schema.json
  brimline schema --reference > scenario.md";

pub(super) const COMPLETIONS: &str = "\
Examples:
  brimline completions bash \\
      > ~/.local/share/bash-completion/completions/brimline
  brimline completions zsh > ~/.zfunc/_brimline
  brimline completions fish > ~/.config/fish/completions/brimline.fish";

pub(super) const MAN: &str = "\
Examples:
  brimline man ~/.local/share/man/man1
  brimline man man && man -l man/brimline-run.1";

pub(super) const CONFORMANCE_REPLAY: &str = "\
Example:
  brimline conformance replay tests/conformance/centralized/churn-fast.json";

pub(super) const CONFORMANCE_CHECK: &str = "\
Example:
  brimline conformance check tests/conformance/centralized";

#[cfg(test)]
mod tests {
    use clap::Command;

    use clap::CommandFactory;

    use super::super::Cli;

    /// The commands without commands of their own, below `command`.
    fn leaves(command: &Command) -> Vec<&Command> {
        match command.has_subcommands() {
            true => command.get_subcommands().flat_map(leaves).collect(),
            false => vec![command],
        }
    }

    /// The commands of a help text as words, without what is the shell's.
    fn commands(help: &str) -> Vec<Vec<String>> {
        let joined = help.replace("\\\n", "");
        let lines = joined.lines().filter(|line| line.trim_start().starts_with("brimline"));
        let words = lines.map(|line| shlex::split(line).expect("quotes end"));
        words.map(|words| words.into_iter().take_while(|word| word != ">" && word != "&&").collect()).collect()
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        let mut cli = Cli::command().disable_help_subcommand(true);
        cli.build();
        for leaf in leaves(&cli) {
            let name = leaf.get_name();
            let help = leaf.get_after_help().unwrap_or_else(|| panic!("{name} has no example")).to_string();
            // What is longer breaks in the middle on a terminal of 80 columns, and does not paste.
            let shown = help.split("\n\n").next().unwrap_or_default();
            let long: Vec<_> = shown.lines().filter(|line| line.len() > 78).collect();
            assert!(long.is_empty(), "{long:?}");
            let examples = commands(&help);
            assert!(!examples.is_empty(), "{name} has no example");
            for words in examples {
                assert!(words.contains(&name.to_owned()), "{words:?}");
                Cli::command().try_get_matches_from(&words).unwrap_or_else(|error| panic!("{words:?}\n{error}"));
            }
        }
    }
}
