//! The same on Tokio: a task a connection. ROOST_WORKERS=1 is the current_thread
//! runtime, Tokio's own for one thread, more the multi_thread one.
use std::io::Read;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};

async fn echo(mut stream: TcpStream) {
    let mut room = [0; 4096];

    while let Ok(n) = stream.read(&mut room).await {
        if n == 0 || stream.write_all(&room[..n]).await.is_err() {
            break;
        }
    }
}

/// A spawned task: what block_on is given would run beside the workers.
async fn serve() -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;

    socket.bind("127.0.0.1:0".parse().expect("an address"))?;
    let listener = socket.listen(4096)?;
    println!("{}", listener.local_addr()?.port());
    loop {
        tokio::spawn(echo(listener.accept().await?.0));
    }
}

fn runtime() -> Runtime {
    let workers = std::env::var("ROOST_WORKERS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(2);
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if workers > 1 {
        builder.worker_threads(workers);
    }
    builder.enable_io().build().expect("a runtime")
}

fn main() -> std::io::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = runtime();
    runtime.block_on(runtime.spawn(serve())).expect("no panic")
}
