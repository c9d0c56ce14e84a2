// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A TLS 1.3 connection of the load generator, either role: BoringSSL over a non-blocking socket,
// with buffers shared by all connections so that the generator never is the bottleneck.
#ifndef FAIRLEAD_BENCH_LOAD_TLS_CONNECTION_H_
#define FAIRLEAD_BENCH_LOAD_TLS_CONNECTION_H_

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "bench/load/event_loop.h"

namespace fairlead::bench {

// Configurations: TLS 1.3 alone. End the program if a file cannot be read.
bssl::UniquePtr<SSL_CTX> MakeClientContext(const std::string& ca_file);
bssl::UniquePtr<SSL_CTX> MakeServerContext(const std::string& certificate_file,
                                           const std::string& key_file);

// Where to connect, and from which address of 127.0.0.0/8 (0 for any).
struct Route {
  std::uint16_t port = 0;
  std::uint32_t source = 0;
};

// Thread: the loop's. Lifetime: must not be destroyed in one of its handler's calls.
class TlsConnection : public Watcher {
 public:
  // Told of a connection. Never called after Close.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnConnected() = 0;
    virtual void OnBytes(const char* data, std::size_t size) = 0;
    // All that was queued has been sent.
    virtual void OnDrained() = 0;
    // The connection is over, for the reason given.
    virtual void OnEnd(absl::string_view why) = 0;
  };

  // Dials 127.0.0.1.
  TlsConnection(EventLoop& loop, bssl::UniquePtr<SSL> ssl, const Route& route, Handler& handler);
  // Serves an accepted socket.
  TlsConnection(EventLoop& loop, bssl::UniquePtr<SSL> ssl, int fd, Handler& handler);
  ~TlsConnection() override;

  // Seals `data` at once and sends what the socket takes; the rest is queued.
  void Write(const char* data, std::size_t size);
  // Sealed bytes that wait for the socket.
  std::size_t queued() const { return out_.size() - out_sent_; }
  // Sends close_notify if possible and closes the socket.
  void Close();
  // Closes the socket without a word.
  void Abort();

  void OnEvents(std::uint32_t events) override;

 private:
  static const BIO_METHOD* Method();
  static int BioRead(BIO* bio, char* out, int size);
  static int BioWrite(BIO* bio, const char* data, int size);

  void Start();
  void Handshake();
  void Read();
  bool ReadDecrypted();
  void Flush();
  void Fail(absl::string_view why);
  void CloseSocket();
  void SetInterest(std::uint32_t events);

  EventLoop& loop_;
  Handler* handler_;
  bssl::UniquePtr<SSL> ssl_;
  int fd_;
  bool connecting_ = false;
  bool established_ = false;
  std::uint32_t interest_ = 0;
  // What was received and not yet taken by BoringSSL; points into a buffer of all connections.
  const char* in_ = nullptr;
  std::size_t in_size_ = 0;
  std::string out_;
  std::size_t out_sent_ = 0;
};

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_TLS_CONNECTION_H_
