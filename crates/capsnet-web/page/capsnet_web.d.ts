// What wasm-bindgen makes of src/lib.rs, for the type checker; the module itself is made by tools/build_web.sh.

export class Web {
  constructor(capsnet?: Uint8Array, note?: string);
  answer(question: string, body: string): string;
}

export default function init(input: { module_or_path: BufferSource }): Promise<unknown>;
