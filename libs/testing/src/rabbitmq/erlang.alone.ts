/**
 * Erlang's distribution without its port mapper: a daemon that outlives the broker and that nobody would end. The module answers in its place, as
 * there is one node only, which listens to no other.
 */
export const ALONE_MODULE = 'core_infra_alone';

export const ALONE_SOURCE = `-module(${ALONE_MODULE}).
-export([start_link/0, register_node/2, register_node/3, address_please/3]).
-export([port_please/2, port_please/3, listen_port_please/2, names/0, names/1]).
start_link() -> ignore.
register_node(Name, Port) -> register_node(Name, Port, inet).
register_node(_Name, _Port, _Family) -> {ok, 4 + os:system_time(second) rem 1000000000}.
address_please(_Name, _Host, _Family) -> {ok, {127, 0, 0, 1}}.
port_please(Name, Host) -> port_please(Name, Host, infinity).
port_please(_Name, _Host, _Timeout) -> {port, 1, 6}.
listen_port_please(_Name, _Host) -> {ok, 0}.
names() -> {ok, []}.
names(_Host) -> {ok, []}.
`;

/** For `ERL_ZFLAGS`, which every Erlang that the broker's scripts start reads. The port is one that nothing listens on. */
export function aloneFlags(folder: string): string {
  return `-start_epmd false -dist_listen false -epmd_module ${ALONE_MODULE} -erl_epmd_port 1 -pa ${folder}`;
}
