import type { ResourceName } from '../domain/names.js';

// A prefix ends at the first hyphen and none begins like another, so no resource can be called into the name of
// something else; what a name of a resource may hold, a name in Envoy may hold as well.

export const HTTP_LISTENER = 'http';
export const AUTHZ_CLUSTER = 'portcullis-authz';
export const GUARD_CLUSTER = 'portcullis-guard';
export const GATE_CLUSTER = 'portcullis-gate';
/** The session guard: plugin, root and VM. */
export const GUARD = 'portcullis-guard';
export const HTTP_ROUTES = 'portcullis-http';
export const GATE_ROUTES = 'portcullis-gate';

export const tcpListener = (name: ResourceName) => `tcp-${name}`;
export const tcpCluster = (name: ResourceName) => `tcp-${name}`;
export const httpCluster = (name: ResourceName) => `http-${name}`;
export const grpcCluster = (name: ResourceName) => `grpc-${name}`;
