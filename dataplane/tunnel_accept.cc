// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/tunnel_accept.h"

#include <openssl/base64.h>
#include <openssl/sha.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/leg_transport.h"

namespace fairlead::dataplane {
namespace {

// What RFC 6455 section 1.3 appends to a key before it is hashed.
constexpr char kAcceptSuffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string AcceptFor(absl::string_view key) {
  const std::string hashed = absl::StrCat(key, kAcceptSuffix);
  std::uint8_t digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const std::uint8_t*>(hashed.data()), hashed.size(), digest);
  // EVP_EncodeBlock also writes a final zero.
  std::uint8_t text[(SHA_DIGEST_LENGTH + 2) / 3 * 4 + 1];
  const std::size_t size = EVP_EncodeBlock(text, digest, sizeof(digest));
  return std::string(reinterpret_cast<const char*>(text), size);
}

}  // namespace

std::string WebSocketAnswer(absl::string_view key, absl::string_view subprotocol) {
  std::string answer = absl::StrCat(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: "
      "websocket\r\nConnection: upgrade\r\n"
      "Sec-WebSocket-Accept: ",
      AcceptFor(key), "\r\nServer: Fairlead\r\n");
  if (!subprotocol.empty()) {
    absl::StrAppend(&answer, "Sec-WebSocket-Protocol: ", subprotocol, "\r\n");
  }
  return answer += "\r\n";
}

std::unique_ptr<TunnelLeg> AcceptTunnel(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                                        absl::string_view key, absl::string_view subprotocol,
                                        TunnelLegOptions options) {
  std::unique_ptr<LegTransport> transport = MakeTlsTransport(std::move(stream));
  return std::make_unique<TunnelLeg>(std::move(transport), std::move(peer), options,
                                     WebSocketAnswer(key, subprotocol));
}

}  // namespace fairlead::dataplane
