//! SSIM maps and losses.

use super::exchange::{Exchange, exchange, named};
use super::inputs::{copy, tensor, texture};
use super::report::report;
use super::timing::time;
use crate::args::{RunArgs, Size, WindowArgs};
use crate::commands::Context;
use anyhow::Result;
use candle_core::{Tensor, Var};
use detector::records::SsimWork;
use inspect::Image;
use ssim::{Border, Constants, Params};

/// The size of a batch, which may be a single map.
fn work_of(params: &Params, batch: usize, Size { width, height }: Size) -> SsimWork {
    let window = params.window.to_string();
    SsimWork { window, batch, width, height, pixels: batch * width * height }
}

/// Times whole maps of the size of the images, as the residual map takes them.
///
/// # Errors
/// If the window does not fit.
pub fn map(context: &Context, size: Size, window: &WindowArgs, run: &RunArgs) -> Result<()> {
    let params = Params::new(window.window, Border::Reflect, Constants::squared());
    let x = texture(size, run.seed, 0);
    let y = copy(&x, run.seed, 0);
    let (width, height) = x.size();
    let map = || ssim::ssim_map(x.data(), y.data(), width, height, &params);
    let timing = time(run, || Ok(map()?))?;
    let words = format!("{size} pixels, {}", window.window);
    report(context, "ssim", &words, timing, work_of(&params, 1, size))?;
    exchange(run, || {
        let map = Image::new(width, height, map()?.values)?;
        let inputs = named([("x", tensor(&x)?), ("y", tensor(&y)?)]);
        Ok(Exchange { inputs, outputs: named([("map", tensor(&map)?)]) })
    })
}

/// Times the loss of reconstructions `y` of patches `x` with its gradient with respect to `y`.
///
/// # Errors
/// If the window does not fit.
pub fn loss(
    context: &Context,
    size: Size,
    batch: usize,
    window: &WindowArgs,
    run: &RunArgs,
) -> Result<()> {
    let params = Params::new(window.window, Border::Valid, Constants::squared());
    let originals = (0..batch as u64).map(|number| texture(size, run.seed, number));
    let originals: Vec<Image> = originals.collect();
    let copies = originals.iter().zip(0..).map(|(image, number)| copy(image, run.seed, number));
    let copies: Vec<Image> = copies.collect();
    let x = stack(&originals, context)?;
    let y = Var::from_tensor(&stack(&copies, context)?)?;
    let work = || {
        let loss = ssim::tensor::ssim_loss(&y, &x, &params)?;
        let gradients = loss.backward()?;
        anyhow::Ok((loss, gradients))
    };
    let timing = time(run, work)?;
    let words = format!("{batch} patches of {size}, {}", window.window);
    report(context, "ssim-loss", &words, timing, work_of(&params, batch, size))?;
    exchange(run, || {
        let (loss, mut gradients) = work()?;
        let gradient = gradients.remove(&y).unwrap_or(y.zeros_like()?);
        let inputs = named([("x", x.clone()), ("y", y.as_detached_tensor())]);
        Ok(Exchange { inputs, outputs: named([("loss", loss), ("gradient", gradient)]) })
    })
}

/// Images as a batch `(N, 1, H, W)`.
fn stack(images: &[Image], context: &Context) -> Result<Tensor> {
    let images = images.iter().map(tensor).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::stack(&images, 0)?.unsqueeze(1)?.to_device(&context.device)?)
}
