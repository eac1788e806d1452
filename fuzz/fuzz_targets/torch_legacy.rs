#![no_main]

capsnet_fuzz::fuzz!(torch_legacy);
