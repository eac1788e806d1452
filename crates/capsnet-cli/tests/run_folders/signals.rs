//! Signals end a training with a checkpoint and their exit codes.

use super::*;

/// Waits for a run's first checkpoint.
fn wait_for_a_checkpoint(child: &mut Child, run: &Path) {
    let began = Instant::now();
    while !run.join("checkpoint/state.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn signals_end_with_their_exit_codes_and_ignored_ones_stay_ignored() {
    let folder = folder();
    let root = folder.path();
    let long = |run| {
        let mut args = train(run);
        args[7] = "100000";
        args
    };
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        if ignores(signal) {
            continue;
        }
        let mut child = start(root, &long(signal));
        wait_for_a_checkpoint(&mut child, &root.join(signal));
        send(&child, signal);
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stdout.contains("stopped after step"), "{run:?}");
    }
    // As `nohup` starts it.
    let mut shell = std::process::Command::new("sh");
    shell
        .current_dir(root)
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_capsnet")]);
    shell.args(long("kept")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    wait_for_a_checkpoint(&mut child, &root.join("kept"));
    send(&child, "HUP");
    // A signal that came through would end it before the next one does.
    std::thread::sleep(Duration::from_millis(200));
    send(&child, "TERM");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(143), "{run:?}");
}

fn send(child: &Child, signal: &str) {
    let sent = std::process::Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}
