/** Milliseconds for looking for GPUs: nvidia-smi takes 1 s on a cold driver. */
export const DETECT_TIMEOUT = 3000
/** Bytes of a program's output that are read. */
export const MAX_OUTPUT = 256 * 1024
/** GPUs that are told; more come from nonsense in a fixture or a driver. */
export const MAX_GPUS = 32
/** MiB below which a GPU is a chip that draws the desktop, with its memory carved out of the machine's. */
export const MIN_GPU_MEMORY = 1024
/** MiB of disk from which a machine of kind `auto` takes services that keep data. */
export const STORAGE_DISK = 20 * 1024
/** The share of an Apple chip's memory that Metal lets the GPU have. */
export const APPLE_GPU_SHARE = 2 / 3
/** Where WSL keeps nvidia-smi, which is not in everybody's PATH. */
export const WSL_PATH = '/usr/lib/wsl/lib'
