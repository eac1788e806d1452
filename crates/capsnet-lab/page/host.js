// Who answers on this page: the server that it came from. The lab without a server has another file in this place
// (crates/capsnet-web/page/host.js).

export { server as backend } from "./backend.js";
