"""Jobs and CronJobs (pkg/apis/batch, pkg/registry/batch)."""
