// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/tls_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

namespace fairlead::bench {
namespace {

constexpr std::size_t kReadAhead = 256 * 1024;
constexpr std::size_t kRecord = 16 * 1024;

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "load: %s\n", std::string(what).c_str());
  std::exit(1);
}

bssl::UniquePtr<SSL_CTX> MakeContext() {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

std::string LastError() {
  char text[160] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  return text;
}

// A socket that is connecting to 127.0.0.1, or -1.
int StartConnect(const Route& route) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (route.source != 0) {
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(route.source);
    bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof(from));
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(route.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0 && errno != EINPROGRESS) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

bssl::UniquePtr<SSL_CTX> MakeClientContext(const std::string& ca_file) {
  bssl::UniquePtr<SSL_CTX> context = MakeContext();
  if (SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1) {
    Die(absl::StrCat("cannot read the CA ", ca_file));
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

bssl::UniquePtr<SSL_CTX> MakeServerContext(const std::string& certificate_file,
                                           const std::string& key_file) {
  bssl::UniquePtr<SSL_CTX> context = MakeContext();
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    Die(absl::StrCat("cannot use ", certificate_file, " and ", key_file));
  }
  return context;
}

const BIO_METHOD* TlsConnection::Method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "load");
    BIO_meth_set_read(made, &TlsConnection::BioRead);
    BIO_meth_set_write(made, &TlsConnection::BioWrite);
    BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return method;
}

int TlsConnection::BioRead(BIO* bio, char* out, int size) {
  auto* self = static_cast<TlsConnection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self->in_size_ == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(static_cast<std::size_t>(size), self->in_size_);
  std::memcpy(out, self->in_, taken);
  self->in_ += taken;
  self->in_size_ -= taken;
  return static_cast<int>(taken);
}

int TlsConnection::BioWrite(BIO* bio, const char* data, int size) {
  auto* self = static_cast<TlsConnection*>(BIO_get_data(bio));
  self->out_.append(data, static_cast<std::size_t>(size));
  return size;
}

TlsConnection::TlsConnection(EventLoop& loop, bssl::UniquePtr<SSL> ssl, const Route& route,
                             Handler& handler)
    : loop_(loop), handler_(&handler), ssl_(std::move(ssl)), fd_(StartConnect(route)) {
  SSL_set_connect_state(ssl_.get());
  connecting_ = true;
  Start();
}

TlsConnection::TlsConnection(EventLoop& loop, bssl::UniquePtr<SSL> ssl, int fd, Handler& handler)
    : loop_(loop), handler_(&handler), ssl_(std::move(ssl)), fd_(fd) {
  SSL_set_accept_state(ssl_.get());
  Start();
}

TlsConnection::~TlsConnection() { Abort(); }

void TlsConnection::Start() {
  BIO* bio = BIO_new(Method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (fd_ < 0) {
    const std::string why = absl::StrCat("cannot connect: ", std::strerror(errno));
    loop_.Post([this, why] { Fail(why); });
    return;
  }
  interest_ = connecting_ ? EPOLLOUT : EPOLLIN;
  loop_.Watch(fd_, this, interest_);
}

void TlsConnection::SetInterest(std::uint32_t events) {
  if (fd_ < 0 || events == interest_) return;
  interest_ = events;
  loop_.Change(fd_, this, events);
}

void TlsConnection::OnEvents(std::uint32_t events) {
  if (fd_ < 0) return;
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Fail(absl::StrCat("cannot connect: ", std::strerror(error)));
    connecting_ = false;
    SetInterest(EPOLLIN);
    Handshake();
    Flush();
    return;
  }
  if (events & EPOLLOUT) {
    Flush();
    if (fd_ >= 0 && queued() == 0 && established_) handler_->OnDrained();
  }
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) Read();
}

void TlsConnection::Handshake() {
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    established_ = true;
    handler_->OnConnected();
    return;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    Fail(absl::StrCat("TLS handshake: ", LastError()));
  }
}

void TlsConnection::Read() {
  static char* const buffer = new char[kReadAhead];
  while (fd_ >= 0) {
    const ssize_t got = recv(fd_, buffer, kReadAhead, 0);
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      return Fail(absl::StrCat("recv: ", std::strerror(errno)));
    }
    if (got == 0) return Fail("end of stream");
    in_ = buffer;
    in_size_ = static_cast<std::size_t>(got);
    if (!ReadDecrypted()) return;
    Flush();
    if (static_cast<std::size_t>(got) < kReadAhead) return;
  }
}

// Gives all that can be decrypted; false when the connection is over.
bool TlsConnection::ReadDecrypted() {
  static char* const plain = new char[kRecord];
  if (!established_) {
    Handshake();
    if (fd_ < 0) return false;
    if (!established_) return true;
  }
  while (fd_ >= 0) {
    const int got = SSL_read(ssl_.get(), plain, kRecord);
    if (got > 0) {
      handler_->OnBytes(plain, static_cast<std::size_t>(got));
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), got);
    if (error == SSL_ERROR_WANT_READ) return true;
    if (error == SSL_ERROR_ZERO_RETURN) {
      Fail("close_notify");
    } else {
      Fail(absl::StrCat("TLS: ", LastError()));
    }
    return false;
  }
  return false;
}

void TlsConnection::Write(const char* data, std::size_t size) {
  if (fd_ < 0) return;
  const bool was_empty = queued() == 0;
  if (SSL_write(ssl_.get(), data, static_cast<int>(size)) != static_cast<int>(size)) {
    return Fail(absl::StrCat("SSL_write: ", LastError()));
  }
  if (was_empty) Flush();
}

void TlsConnection::Flush() {
  while (fd_ >= 0 && queued() > 0) {
    const ssize_t sent = send(fd_, out_.data() + out_sent_, queued(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return SetInterest(EPOLLIN | EPOLLOUT);
      // What the peer said before it closed is still to be read.
      return SetInterest(EPOLLIN);
    }
    out_sent_ += static_cast<std::size_t>(sent);
  }
  if (out_.capacity() > 4 * kRecord || fd_ < 0) {
    std::string().swap(out_);
  } else {
    out_.clear();
  }
  out_sent_ = 0;
  if (fd_ >= 0 && !connecting_) SetInterest(EPOLLIN);
}

void TlsConnection::Fail(absl::string_view why) {
  if (handler_ == nullptr) return;
  Handler* handler = std::exchange(handler_, nullptr);
  CloseSocket();
  handler->OnEnd(why);
}

void TlsConnection::Close() {
  if (fd_ >= 0 && established_) {
    SSL_shutdown(ssl_.get());
    Flush();
  }
  Abort();
}

void TlsConnection::Abort() {
  handler_ = nullptr;
  CloseSocket();
}

void TlsConnection::CloseSocket() {
  if (fd_ < 0) return;
  loop_.Forget(fd_);
  close(fd_);
  fd_ = -1;
}

}  // namespace fairlead::bench
