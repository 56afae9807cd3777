//! Chinese of units, with the words that count them: the same English as a heading is another word.

use super::Entry;

#[rustfmt::skip]
pub(super) const UNITS: &[Entry] = &[
    ("runs", "次运行"),
    ("s", "s"),
    ("share", "占比"),
    ("share of usable addresses", "占可分配地址"),
    ("addresses", "个地址"),
    ("/28 blocks", "个 /28 块"),
    ("requests", "次申请"),
    ("pods", "个 Pod"),
    ("pod-hours", "Pod·小时"),
    ("Jobs", "个 Job"),
    ("nodes", "个节点"),
    ("ENIs", "张弹性网卡"),
    ("interfaces", "张网卡"),
    ("attempts", "次尝试"),
    ("strikes", "次"),
    ("messages", "次"),
    ("calls", "次调用"),
    ("times", "次"),
    ("events", "个事件"),
];
