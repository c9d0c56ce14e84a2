// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/tls_engine.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::dataplane {
namespace {

// The largest plaintext of a record (RFC 8446 section 5.1).
constexpr std::size_t kMaxRecordBytes = 16384;

int FactsIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Whether a fatal alert says that the peer does not like our certificate (RFC 8446 section 6.2).
bool IsAboutOurCertificate(int alert) {
  return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
         alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED ||
         alert == SSL_AD_CERTIFICATE_REQUIRED;
}

absl::Status DescribeAlert(int alert, absl::string_view peer) {
  const char* text = SSL_alert_desc_string_long(alert);
  if (IsAboutOurCertificate(alert)) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "TLS_REFUSED",
                           absl::StrCat("the ", peer, " refuses this side's certificate: ", text,
                                        "; check what it trusts, its clock, and whether the "
                                        "certificate is current"));
  }
  return absl::UnavailableError(absl::StrCat("the ", peer, " ended TLS with alert: ", text));
}

absl::Status DescribeLibraryError(std::uint32_t code, absl::string_view peer) {
  const int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
    return DescribeAlert(reason - SSL_AD_REASON_OFFSET, peer);
  }
  switch (ERR_GET_LIB(code) == ERR_LIB_SSL ? reason : 0) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return absl::UnavailableError(
          absl::StrCat("the ", peer, " does not speak TLS: check port and address"));
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return absl::UnavailableError(
          absl::StrCat("the ", peer, " speaks neither TLS 1.2 nor TLS 1.3"));
    default:
      break;
  }
  const char* text = ERR_reason_error_string(code);
  return absl::UnavailableError(
      absl::StrCat("TLS with the ", peer, " failed: ", text != nullptr ? text : "unknown error"));
}

}  // namespace

class TlsEngine::Loan {
 public:
  Loan(TlsEngine& engine, ByteView* input, Bytes& output) : engine_(engine) {
    engine_.input_ = input;
    engine_.output_ = &output;
  }
  ~Loan() {
    engine_.input_ = nullptr;
    engine_.output_ = nullptr;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

 private:
  TlsEngine& engine_;
};

int TlsEngine::OnBioRead(BIO* bio, char* data, int size) {
  auto* engine = static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (engine->input_ == nullptr || engine->input_->empty() || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(engine->input_->size(), static_cast<std::size_t>(size));
  std::memcpy(data, engine->input_->data(), count);
  *engine->input_ = engine->input_->subspan(count);
  return static_cast<int>(count);
}

int TlsEngine::OnBioWrite(BIO* bio, const char* data, int size) {
  auto* engine = static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (engine->output_ == nullptr || size <= 0) return -1;
  // As bytes of the vector's own type, which are copied as a block.
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(data);
  engine->output_->insert(engine->output_->end(), bytes, bytes + size);
  return size;
}

// NOLINTNEXTLINE(google-runtime-int): the library's signature.
long TlsEngine::OnBioControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* TlsEngine::BioMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* result = BIO_meth_new(0, "TlsEngine");
    BIO_meth_set_read(result, &TlsEngine::OnBioRead);
    BIO_meth_set_write(result, &TlsEngine::OnBioWrite);
    BIO_meth_set_ctrl(result, &TlsEngine::OnBioControl);
    return result;
  }();
  return method;
}

TlsEngine::TlsEngine(SSL_CTX* context, Role role) : role_(role), ssl_(SSL_new(context)) {
  BIO* bio = BIO_new(BioMethod());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_ex_data(ssl_.get(), FactsIndex(), facts_.get());
  // Frees what only the handshake needs once it is over.
  SSL_set_shed_handshake_config(ssl_.get(), 1);
  if (role == Role::kServer) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

TlsEngine::~TlsEngine() = default;

TlsConnectionFacts& TlsEngine::FactsOf(const SSL* ssl) {
  return *static_cast<TlsConnectionFacts*>(SSL_get_ex_data(ssl, FactsIndex()));
}

void TlsEngine::SetServerName(std::string name, std::shared_ptr<const ServerTrust> trust) {
  // RFC 6066 section 3: no addresses, no trailing dot.
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (!name.empty() && !IsIpAddress(name)) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  facts_->server_name = std::move(name);
  facts_->trust = std::move(trust);
}

TlsEngine::Outcome TlsEngine::Handshake(ByteView& input, Bytes& output) {
  if (!failure_.ok()) return Outcome::kFailed;
  const Loan loan(*this, &input, output);
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return Classify(result);
  // Certificates are verified in the handshake alone.
  if (facts_ != nullptr) facts_->trust.reset();
  return Outcome::kDone;
}

TlsEngine::Outcome TlsEngine::Read(ByteView& input, std::span<std::uint8_t> data, std::size_t& size,
                                   Bytes& output) {
  size = 0;
  if (!failure_.ok()) return Outcome::kFailed;
  const Loan loan(*this, &input, output);
  // One call gives at most one record.
  while (size < data.size()) {
    const std::size_t room = std::min<std::size_t>(data.size() - size, 1 << 30);
    const int count = SSL_read(ssl_.get(), data.data() + size, static_cast<int>(room));
    if (count <= 0) return Classify(count);
    size += static_cast<std::size_t>(count);
    // BoringSSL takes no more than a record from the input, so that nothing waits in it now.
    if (input.empty() && !has_plaintext() && size < data.size()) return Outcome::kNeedsInput;
  }
  return Outcome::kDone;
}

TlsEngine::Outcome TlsEngine::Write(ByteView data, Bytes& output) {
  if (!failure_.ok()) return Outcome::kFailed;
  const Loan loan(*this, nullptr, output);
  while (!data.empty()) {
    const std::size_t piece = std::min(data.size(), kMaxRecordBytes);
    const int count = SSL_write(ssl_.get(), data.data(), static_cast<int>(piece));
    if (count <= 0) {
      // After the handshake, sealing never waits for the peer.
      if (Classify(count) != Outcome::kFailed && failure_.ok()) {
        failure_ = absl::UnavailableError("TLS was closed for writing");
      }
      return Outcome::kFailed;
    }
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return Outcome::kDone;
}

void TlsEngine::CloseNotify(Bytes& output) {
  if (!failure_.ok() || SSL_in_init(ssl_.get())) return;
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
  const Loan loan(*this, nullptr, output);
  if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
}

TlsEngine::Outcome TlsEngine::Classify(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return Outcome::kNeedsInput;
  if (error == SSL_ERROR_ZERO_RETURN) return Outcome::kEnd;
  failure_ = DescribeFailure(error);
  // Whoever looks at this thread's errors next is to find his own.
  ERR_clear_error();
  return Outcome::kFailed;
}

absl::Status TlsEngine::DescribeFailure(int error) const {
  const char* peer = role_ == Role::kServer ? "client" : "server";
  if (facts_ != nullptr && !facts_->verdict.ok()) return facts_->verdict;
  if (error == SSL_ERROR_SSL) return DescribeLibraryError(ERR_peek_error(), peer);
  return absl::UnavailableError(absl::StrCat("TLS with the ", peer, " failed"));
}

void TlsEngine::ForgetFacts() {
  SSL_set_ex_data(ssl_.get(), FactsIndex(), nullptr);
  facts_.reset();
}

std::string TlsEngine::alpn() const {
  const std::uint8_t* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &data, &size);
  return std::string(reinterpret_cast<const char*>(data), size);
}

std::string TlsEngine::version() const { return SSL_get_version(ssl_.get()); }

}  // namespace fairlead::dataplane
