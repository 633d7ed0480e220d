//! celemetry: the state of Kubernetes clusters as metrics.
