// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One TLS connection without I/O: sealed bytes go in and come out as spans, so that it can be
// tested byte by byte and fuzzed. TlsStream gives it a socket.
#ifndef FAIRLEAD_DATAPLANE_TLS_ENGINE_H_
#define FAIRLEAD_DATAPLANE_TLS_ENGINE_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dataplane/peer.h"
#include "dataplane/x509_util.h"

namespace fairlead::dataplane {

// What the callbacks of a TLS context learn of one connection and need to know of it.
struct TlsConnectionFacts {
  // Client: the name that the server's certificate must bear.
  std::string server_name;
  // Client: used in place of the context's own trust, unless null. Forgotten after the handshake.
  std::shared_ptr<const ServerTrust> trust;
  // Server: the ClientHello named http/1.1.
  bool peer_offered_http11 = false;
  // Why the peer's certificate was refused, if it was.
  absl::Status verdict;
  // The peer's certificate, once verified.
  std::optional<PeerCertificate> peer;
};

// Thread: one at a time.
class TlsEngine {
 public:
  using ByteView = std::span<const std::uint8_t>;
  using Bytes = std::vector<std::uint8_t>;

  enum class Role { kClient, kServer };

  enum class Outcome {
    kDone,
    // All input is consumed and more is wanted.
    kNeedsInput,
    // The peer sent close_notify.
    kEnd,
    // failure() tells why; final.
    kFailed,
  };

  TlsEngine(SSL_CTX* context, Role role);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // Before the first Handshake of a client. Sends the name to the server unless it is an address.
  void SetServerName(std::string name, std::shared_ptr<const ServerTrust> trust);

  // Each of these consumes from the front of `input` and appends what is to be sent to `output`,
  // also when it fails.

  // Goes on with the handshake.
  Outcome Handshake(ByteView& input, Bytes& output);
  // Decrypts until `data` is full (kDone); `size` tells how much of it was filled, also otherwise.
  Outcome Read(ByteView& input, std::span<std::uint8_t> data, std::size_t& size, Bytes& output);
  // Seals all of `data`: kDone or kFailed.
  Outcome Write(ByteView data, Bytes& output);
  // Seals a close_notify, once.
  void CloseNotify(Bytes& output);

  // Decrypted bytes that wait for Read.
  bool has_plaintext() const { return SSL_pending(ssl_.get()) > 0; }
  const absl::Status& failure() const { return failure_; }
  const TlsConnectionFacts& facts() const { return *facts_; }
  // Frees what the handshake has found out; facts() must not be called any more.
  void ForgetFacts();
  std::string alpn() const;
  std::string version() const;
  SSL* ssl() { return ssl_.get(); }

  // The facts of the connection that `ssl` is; for callbacks.
  static TlsConnectionFacts& FactsOf(const SSL* ssl);

 private:
  static int OnBioRead(BIO* bio, char* data, int size);
  static int OnBioWrite(BIO* bio, const char* data, int size);
  static long OnBioControl(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* BioMethod();

  // Lends input and output to the BIO for the time of a call.
  class Loan;

  // What a failed call means.
  Outcome Classify(int result);
  absl::Status DescribeFailure(int error) const;

  // Valid during a call.
  ByteView* input_ = nullptr;
  Bytes* output_ = nullptr;

  const Role role_;
  std::unique_ptr<TlsConnectionFacts> facts_ = std::make_unique<TlsConnectionFacts>();
  absl::Status failure_;
  bssl::UniquePtr<SSL> ssl_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TLS_ENGINE_H_
