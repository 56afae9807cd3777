//! The ConfigMap `kube-system/eni-config` (rules R1 to R31).
