"""The STS service model 2011-06-15: what requests hold. By tools/query_model.py; do not edit."""

from __future__ import annotations

from portside.aws.protocol.parameters import Shape

VERSION = "2011-06-15"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

SHAPES: dict[str, Shape] = {
    'AssumeRoleRequest': Shape('structure', members={'RoleArn': 'arnType', 'RoleSessionName': 'roleSessionNameType', 'PolicyArns': 'policyDescriptorListType', 'Policy': 'unrestrictedSessionPolicyDocumentType', 'DurationSeconds': 'roleDurationSecondsType', 'Tags': 'tagListType', 'TransitiveTagKeys': 'tagKeyListType', 'ExternalId': 'externalIdType', 'SerialNumber': 'serialNumberType', 'TokenCode': 'tokenCodeType', 'SourceIdentity': 'sourceIdentityType', 'ProvidedContexts': 'ProvidedContextsListType', 'MinimumSessionTokenSize': 'minimumSessionTokenSizeType'}, required=('RoleArn', 'RoleSessionName')),
    'AssumeRoleWithSAMLRequest': Shape('structure', members={'RoleArn': 'arnType', 'PrincipalArn': 'arnType', 'SAMLAssertion': 'SAMLAssertionType', 'PolicyArns': 'policyDescriptorListType', 'Policy': 'sessionPolicyDocumentType', 'DurationSeconds': 'roleDurationSecondsType', 'MinimumSessionTokenSize': 'minimumSessionTokenSizeType'}, required=('RoleArn', 'PrincipalArn', 'SAMLAssertion')),
    'AssumeRoleWithWebIdentityRequest': Shape('structure', members={'RoleArn': 'arnType', 'RoleSessionName': 'roleSessionNameType', 'WebIdentityToken': 'clientTokenType', 'ProviderId': 'urlType', 'PolicyArns': 'policyDescriptorListType', 'Policy': 'sessionPolicyDocumentType', 'DurationSeconds': 'roleDurationSecondsType', 'MinimumSessionTokenSize': 'minimumSessionTokenSizeType'}, required=('RoleArn', 'RoleSessionName', 'WebIdentityToken')),
    'DecodeAuthorizationMessageRequest': Shape('structure', members={'EncodedMessage': 'encodedMessageType'}, required=('EncodedMessage',)),
    'GetAccessKeyInfoRequest': Shape('structure', members={'AccessKeyId': 'accessKeyIdType'}, required=('AccessKeyId',)),
    'GetCallerIdentityRequest': Shape('structure', members={}, required=()),
    'GetFederationTokenRequest': Shape('structure', members={'Name': 'userNameType', 'Policy': 'sessionPolicyDocumentType', 'PolicyArns': 'policyDescriptorListType', 'DurationSeconds': 'durationSecondsType', 'Tags': 'tagListType', 'MinimumSessionTokenSize': 'minimumSessionTokenSizeType'}, required=('Name',)),
    'GetSessionTokenRequest': Shape('structure', members={'DurationSeconds': 'durationSecondsType', 'SerialNumber': 'serialNumberType', 'TokenCode': 'tokenCodeType', 'MinimumSessionTokenSize': 'minimumSessionTokenSizeType'}, required=()),
    'GetWebIdentityTokenRequest': Shape('structure', members={'Audience': 'webIdentityTokenAudienceListType', 'DurationSeconds': 'webIdentityTokenDurationSecondsType', 'SigningAlgorithm': 'jwtAlgorithmType', 'Tags': 'tagListType'}, required=('Audience', 'SigningAlgorithm')),
    'PolicyDescriptorType': Shape('structure', members={'arn': 'arnType'}, required=()),
    'ProvidedContext': Shape('structure', members={'ProviderArn': 'arnType', 'ContextAssertion': 'contextAssertionType'}, required=()),
    'ProvidedContextsListType': Shape('list', min=1, max=5, member='ProvidedContext'),
    'SAMLAssertionType': Shape('string', min=4, max=100000),
    'Tag': Shape('structure', members={'Key': 'tagKeyType', 'Value': 'tagValueType'}, required=('Key', 'Value')),
    'accessKeyIdType': Shape('string', min=16, max=128, pattern='(?a:[\\w]*)', shown='[\\w]*'),
    'arnType': Shape('string', min=20, max=2048, pattern='(?:[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+)', shown='[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+'),
    'clientTokenType': Shape('string', min=4, max=20000),
    'contextAssertionType': Shape('string', min=4, max=2048),
    'durationSecondsType': Shape('integer', min=900, max=129600),
    'encodedMessageType': Shape('string', min=1, max=10240),
    'externalIdType': Shape('string', min=2, max=1224, pattern='(?a:[\\w+=,.@:\\/-]*)', shown='[\\w+=,.@:\\/-]*'),
    'jwtAlgorithmType': Shape('string', min=5, max=5),
    'minimumSessionTokenSizeType': Shape('integer', min=0, max=4096),
    'policyDescriptorListType': Shape('list', member='PolicyDescriptorType'),
    'roleDurationSecondsType': Shape('integer', min=900, max=43200),
    'roleSessionNameType': Shape('string', min=2, max=64, pattern='(?a:[\\w+=,.@-]*)', shown='[\\w+=,.@-]*'),
    'serialNumberType': Shape('string', min=9, max=256, pattern='(?a:[\\w+=/:,.@-]*)', shown='[\\w+=/:,.@-]*'),
    'sessionPolicyDocumentType': Shape('string', min=1, max=2048, pattern='(?:[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+)', shown='[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+'),
    'sourceIdentityType': Shape('string', min=2, max=64, pattern='(?a:[\\w+=,.@-]*)', shown='[\\w+=,.@-]*'),
    'tagKeyListType': Shape('list', max=50, member='tagKeyType'),
    'tagKeyType': Shape('string', min=1, max=128, pattern='(?:[\\w\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000_.:/=+\\-@]+)', shown='[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+'),
    'tagListType': Shape('list', max=50, member='Tag'),
    'tagValueType': Shape('string', min=0, max=256, pattern='(?:[\\w\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000_.:/=+\\-@]*)', shown='[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*'),
    'tokenCodeType': Shape('string', min=6, max=6, pattern='(?a:[\\d]*)', shown='[\\d]*'),
    'unrestrictedSessionPolicyDocumentType': Shape('string', min=1, pattern='(?:[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+)', shown='[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+'),
    'urlType': Shape('string', min=4, max=2048),
    'userNameType': Shape('string', min=2, max=32, pattern='(?a:[\\w+=,.@-]*)', shown='[\\w+=,.@-]*'),
    'webIdentityTokenAudienceListType': Shape('list', min=1, max=10, member='webIdentityTokenAudienceStringType'),
    'webIdentityTokenAudienceStringType': Shape('string', min=1, max=1000),
    'webIdentityTokenDurationSecondsType': Shape('integer', min=60, max=3600),
}

REQUESTS: dict[str, str | None] = {'AssumeRole': 'AssumeRoleRequest',
 'AssumeRoleWithSAML': 'AssumeRoleWithSAMLRequest',
 'AssumeRoleWithWebIdentity': 'AssumeRoleWithWebIdentityRequest',
 'DecodeAuthorizationMessage': 'DecodeAuthorizationMessageRequest',
 'GetAccessKeyInfo': 'GetAccessKeyInfoRequest',
 'GetCallerIdentity': 'GetCallerIdentityRequest',
 'GetFederationToken': 'GetFederationTokenRequest',
 'GetSessionToken': 'GetSessionTokenRequest',
 'GetWebIdentityToken': 'GetWebIdentityTokenRequest'}
"""The operations that are carried out, and the shape of their requests."""

WITH_RESULT = frozenset(['AssumeRole',
 'AssumeRoleWithSAML',
 'AssumeRoleWithWebIdentity',
 'DecodeAuthorizationMessage',
 'GetAccessKeyInfo',
 'GetCallerIdentity',
 'GetFederationToken',
 'GetSessionToken',
 'GetWebIdentityToken'])
"""Those whose answers hold something."""

OPERATIONS = frozenset(['AssumeRole',
 'AssumeRoleWithSAML',
 'AssumeRoleWithWebIdentity',
 'AssumeRoot',
 'DecodeAuthorizationMessage',
 'GetAccessKeyInfo',
 'GetCallerIdentity',
 'GetDelegatedAccessToken',
 'GetFederationToken',
 'GetSessionToken',
 'GetWebIdentityToken'])
"""Every operation of the service."""
