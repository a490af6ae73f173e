//! A job array for Slurm.

use crate::command::output;
use crate::files;
use anyhow::{Context, Result};
use detector::files::quoted;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// An array of jobs, and the job of the report.
pub struct Jobs {
    /// Names the jobs and the files.
    pub name: String,
    /// Shards.
    pub count: usize,
    /// Further lines `#SBATCH …`, for example `--gres=gpu:1`.
    pub options: Vec<String>,
    /// The command that a shard and the report are run with, each word quoted as needed.
    pub command: Vec<String>,
    /// Folder for the scripts and what the jobs print; all nodes see it.
    pub folder: PathBuf,
}

/// Writes the scripts and submits them: an array of shards, then a job for the report when all have ended.
///
/// # Errors
/// If the scripts cannot be written, or `sbatch` fails.
pub fn submit(jobs: &Jobs) -> Result<String> {
    let (array, report) = (jobs.folder.join("array.sh"), jobs.folder.join("report.sh"));
    files::replace(&array, &jobs.array())?;
    files::replace(&report, &jobs.report())?;
    let id = sbatch(&[], &array)?;
    let after = format!("--dependency=afterany:{id}");
    let report_id = sbatch(&[after], &report)
        .with_context(|| format!("job {id} runs the cells, but nothing waits for it"))?;
    Ok(format!("jobs {id} (array of {}) and {report_id} (report)", jobs.count))
}

impl Jobs {
    fn array(&self) -> String {
        let lines = format!("#SBATCH --array=1-{}\n", self.count);
        self.script(&lines, "%A-%a", &format!("--shard \"$SLURM_ARRAY_TASK_ID/{}\"", self.count))
    }

    fn report(&self) -> String {
        self.script("", "report-%j", "--report")
    }

    fn script(&self, lines: &str, log: &str, task: &str) -> String {
        let mut text = format!("#!/bin/sh\n#SBATCH --job-name={}\n{lines}", self.name);
        // Slurm replaces what follows a percent sign.
        let folder = self.folder.display().to_string().replace('%', "%%");
        // Writing to a string does not fail.
        let _ = writeln!(text, "#SBATCH --output={}", quoted(&format!("{folder}/{log}.log")));
        for option in &self.options {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        let command: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "exec {} {task}", command.join(" "));
        text
    }
}

/// The number of the job.
fn sbatch(options: &[String], script: &Path) -> Result<String> {
    let mut args = vec!["--parsable".to_owned()];
    args.extend_from_slice(options);
    args.push(script.display().to_string());
    let printed = output("sbatch", &args)
        .context("--slurm submits jobs; without Slurm, --shard I/N runs a part on each machine")?;
    // With the name of the cluster behind it, if there are several.
    Ok(printed.trim().split(';').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_array_has_a_task_for_each_shard() {
        let jobs = Jobs {
            name: "quick".into(),
            count: 8,
            options: vec!["--gres=gpu:1".into()],
            command: vec!["/shared/xtask".into(), "reproduce".into(), "a b".into()],
            folder: "/shared/work".into(),
        };
        let expected = "#!/bin/sh\n#SBATCH --job-name=quick\n#SBATCH --array=1-8\n\
                        #SBATCH --output=/shared/work/%A-%a.log\n#SBATCH --gres=gpu:1\n\
                        exec /shared/xtask reproduce 'a b' --shard \"$SLURM_ARRAY_TASK_ID/8\"\n";
        assert_eq!(jobs.array(), expected);
        assert!(jobs.report().ends_with("'a b' --report\n"));
    }
}
