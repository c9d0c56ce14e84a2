// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// TLS configuration for both roles, over BoringSSL: what a handshake offers, demands and verifies.
// Used by the listener (server) and by the agent, the console and the server's links (client).
#ifndef FAIRLEAD_DATAPLANE_TLS_CONTEXT_H_
#define FAIRLEAD_DATAPLANE_TLS_CONTEXT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace fairlead::dataplane {

// The ALPN protocol of a connection that only asks whether one could be opened: a server that
// selects it ends the connection once the handshake is over.
inline constexpr char kProbeProtocol[] = "fairlead.probe";

// A certificate chain (leaf first) and its private key, PEM. P-256 and RSA are supported.
struct TlsIdentity {
  std::string certificate_chain_pem;
  std::string private_key_pem;
};

// The server's side of handshakes: TLS 1.2 and 1.3, ALPN h2 and http/1.1.
//
// A client certificate is requested (naming only our CA, not demanded) when the ClientHello offers
// h2 without http/1.1 or no ALPN at all; never when it offers http/1.1, because Chromium cancels a
// wss connection whose server requests one.
//
// Thread: all methods may be called from any thread.
class TlsServerContext {
 public:
  // `client_ca_pem` signs client certificates; empty requests none.
  // Errors: INVALID_ARGUMENT a PEM cannot be parsed, or key and certificate do not belong together.
  static absl::StatusOr<std::shared_ptr<TlsServerContext>> Create(const TlsIdentity& identity,
                                                                  absl::string_view client_ca_pem);
  // For a port that serves nothing but certain clients: a certificate is demanded in every
  // handshake, whatever ALPN offers, and one of its URIs must begin with `client_uri_prefix`. A
  // client without gets an alert, and nothing that it sends is given to anybody. Of `alpn` the
  // first protocol that a client offers is selected; one that offers none is served without.
  // Errors: as Create; INVALID_ARGUMENT no CA or no prefix is given.
  static absl::StatusOr<std::shared_ptr<TlsServerContext>> CreateMutual(
      const TlsIdentity& identity, absl::string_view client_ca_pem,
      absl::string_view client_uri_prefix, std::vector<std::string> alpn = {});
  ~TlsServerContext();

  // Replaces certificate and CAs for handshakes that start from now on; connections stay.
  // Errors: as Create or CreateMutual; then the old configuration stays in force.
  absl::Status Reload(const TlsIdentity& identity, absl::string_view client_ca_pem);

  // The configuration for one handshake, with a reference of its own.
  std::shared_ptr<SSL_CTX> Acquire() const;

 private:
  struct State;
  explicit TlsServerContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// How a client knows that the server is the right one.
struct TlsTrust {
  // CA certificates, PEM; the server's certificate must chain to one and bear the name dialled.
  std::string ca_pem;
  // Or: SHA-256 of the server's leaf certificate or of a CA in the chain it sends, 64 hexadecimal
  // digits, colons allowed; then that certificate is the trust anchor, and names are still checked
  // unless the leaf itself is pinned. At least one of the two must be set. With both, the
  // fingerprint decides, and may be that of a CA in ca_pem which the server does not send.
  std::string sha256_fingerprint;
  // Demands a certificate with this URI among its names ("urn:fairlead:device:<unit ID>") in place
  // of one for the name dialled. It must be good for a client, which is what devices have. With
  // ca_pem only.
  std::string uri = {};
};

// The client's side of handshakes.
// Thread: any, after construction.
class TlsClientContext {
 public:
  // `identity` may be null; `alpn` may be empty (none is sent), {"h2"}, {"http/1.1"} or
  // {kProbeProtocol}.
  // Errors: INVALID_ARGUMENT a PEM or the fingerprint cannot be parsed, or no trust is given.
  static absl::StatusOr<std::shared_ptr<TlsClientContext>> Create(const TlsTrust& trust,
                                                                  const TlsIdentity* identity,
                                                                  std::vector<std::string> alpn);
  ~TlsClientContext();

  std::shared_ptr<SSL_CTX> Acquire() const;
  const TlsTrust& trust() const;

 private:
  struct State;
  explicit TlsClientContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TLS_CONTEXT_H_
