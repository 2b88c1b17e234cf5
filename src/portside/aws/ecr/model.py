"""The Amazon ECR service model 2015-09-21 as types. Written by tools/model.py from botocore; do not edit.

Structs carry members as they stand on the wire, with the model's constraints; absent members are left out of replies.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

VERSION = "2015-09-21"
TARGET_PREFIX = "AmazonEC2ContainerRegistry_V20150921"


class Shape(msgspec.Struct, omit_defaults=True, frozen=True):
    """A structure of the model."""


class Operation(NamedTuple):
    """An operation of the model: what it takes, what it gives and the errors that it may raise."""

    name: str
    request: type[Shape]
    reply: type[Shape]
    errors: tuple[str, ...]


AccountSettingName = Annotated[str, Meta(min_length=1, max_length=64)]
AccountSettingValue = str
Arch = str
Arn = str
ArtifactStatus = Literal["ACTIVE", "ARCHIVED", "ACTIVATING"]
ArtifactStatusFilter = Literal["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"]
ArtifactType = Annotated[str, Meta(min_length=1, max_length=255)]
AttributeKey = Annotated[str, Meta(min_length=1, max_length=128)]
AttributeValue = Annotated[str, Meta(min_length=1, max_length=256)]
Author = str
Base64 = Annotated[str, Meta(pattern='\\A(?a:^\\S+$)\\Z')]
BaseScore = float
BatchedOperationLayerDigest = Annotated[str, Meta(min_length=0, max_length=1000)]
CreationTimestamp = float
CredentialArn = Annotated[str, Meta(min_length=50, max_length=612, pattern='\\A(?a:^arn:aws(-\\w+)*:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\\-pullthroughcache\\/[a-zA-Z0-9\\/_+=.@-]+$)\\Z')]
CustomRoleArn = Annotated[str, Meta(max_length=2048)]
Date = float
DeleteReplicationFlag = bool
EncryptionType = Literal["AES256", "KMS", "KMS_DSSE"]
Epoch = Annotated[int, Meta(ge=-2147483648, le=2147483647)]
EvaluationTimestamp = float
ExceptionMessage = str
ExpirationTimestamp = float
ExploitAvailable = str
FiftyMaxResults = Annotated[int, Meta(ge=1, le=50)]
FilePath = str
FindingArn = str
FindingDescription = str
FindingName = str
FindingSeverity = Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNDEFINED"]
FixAvailable = str
FixedInVersion = str
ForceFlag = bool
ImageActionType = Literal["EXPIRE", "TRANSITION"]
ImageCount = Annotated[int, Meta(ge=0, le=2147483647)]
ImageDigest = str
ImageFailureCode = Literal["InvalidImageDigest", "InvalidImageTag", "ImageTagDoesNotMatchDigest", "ImageNotFound", "MissingDigestAndTag", "ImageReferencedByManifestList", "KmsError", "UpstreamAccessDenied", "UpstreamTooManyRequests", "UpstreamUnavailable", "ImageInaccessible"]
ImageFailureReason = str
ImageManifest = Annotated[str, Meta(min_length=1, max_length=4194304)]
ImageSizeInBytes = Annotated[int, Meta(ge=-9223372036854775808, le=9223372036854775807)]
ImageStatus = Literal["ACTIVE", "ARCHIVED", "ACTIVATING"]
ImageStatusFilter = Literal["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"]
ImageTag = Annotated[str, Meta(min_length=1, max_length=300)]
ImageTagMutability = Literal["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"]
ImageTagMutabilityExclusionFilterType = Literal["WILDCARD"]
ImageTagMutabilityExclusionFilterValue = Annotated[str, Meta(min_length=1, max_length=128, pattern='\\A(?:^[0-9a-zA-Z._*-]{1,128}$)\\Z')]
InUseCount = Annotated[int, Meta(ge=0, le=9223372036854775807)]
IsPTCRuleValid = bool
KmsError = str
KmsKey = Annotated[str, Meta(min_length=1, max_length=2048)]
KmsKeyForRepositoryCreationTemplate = Annotated[str, Meta(min_length=0, max_length=2048, pattern='\\A(?:^$|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key\\/[a-z0-9-]+)\\Z')]
LastActivatedAtTimestamp = float
LastArchivedAtTimestamp = float
LayerAvailability = Literal["AVAILABLE", "UNAVAILABLE", "ARCHIVED"]
LayerDigest = Annotated[str, Meta(pattern='\\A(?:[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+)\\Z')]
LayerFailureCode = Literal["InvalidLayerDigest", "MissingLayerDigest"]
LayerFailureReason = str
LayerPartBlob = Annotated[bytes, Meta(min_length=0, max_length=20971520)]
LayerSizeInBytes = Annotated[int, Meta(ge=-9223372036854775808, le=9223372036854775807)]
LifecyclePolicyPreviewStatus = Literal["IN_PROGRESS", "COMPLETE", "EXPIRED", "FAILED"]
LifecyclePolicyRulePriority = Annotated[int, Meta(ge=1, le=2147483647)]
LifecyclePolicyStorageClass = Literal["ARCHIVE", "STANDARD"]
LifecyclePolicyTargetStorageClass = Literal["ARCHIVE"]
LifecyclePolicyText = Annotated[str, Meta(min_length=100, max_length=30720)]
LifecyclePolicyTextForRepositoryCreationTemplate = Annotated[str, Meta(min_length=0, max_length=30720)]
LifecyclePreviewMaxResults = Annotated[int, Meta(ge=1, le=100)]
MaxResults = Annotated[int, Meta(ge=1, le=1000)]
MediaType = str
Metric = str
NextToken = str
NonNegativeInteger = Annotated[int, Meta(ge=0, le=2147483647)]
PTCValidateFailure = str
PackageManager = str
PartSize = Annotated[int, Meta(ge=0, le=9223372036854775807)]
Platform = str
Prefix = Annotated[str, Meta(min_length=1, max_length=256, pattern='\\A(?:^([a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*\\/?|ROOT)$)\\Z')]
PrincipalArn = Annotated[str, Meta(max_length=200, pattern='\\A(?a:^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\\w+=,.@-]+(/[\\w+=,.@-]+)*$)\\Z')]
ProxyEndpoint = str
PullThroughCacheRuleRepositoryPrefix = Annotated[str, Meta(min_length=2, max_length=30, pattern='\\A(?:^([a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*\\/?|ROOT)$)\\Z')]
PushTimestamp = float
RCTAppliedFor = Literal["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"]
Reason = str
RecommendationText = str
RecordedPullTimestamp = float
Region = Annotated[str, Meta(min_length=2, max_length=25, pattern='\\A(?:[0-9a-z-]{2,25})\\Z')]
RegistryId = Annotated[str, Meta(pattern='\\A(?:[0-9]{12})\\Z')]
RegistryPolicyText = Annotated[str, Meta(min_length=0, max_length=10240)]
RelatedVulnerability = str
Release = str
ReplicationBackfillError = str
ReplicationBackfillId = Annotated[str, Meta(pattern='\\A(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\\Z')]
ReplicationBackfillResultStatus = Literal["COMPLETE", "FAILED"]
ReplicationBackfillStatus = Literal["PREPARING", "IN_PROGRESS", "COMPLETE", "FAILED", "STOPPING", "STOPPED"]
ReplicationError = str
ReplicationStatus = Literal["IN_PROGRESS", "COMPLETE", "FAILED"]
RepositoryFilterType = Literal["PREFIX_MATCH"]
RepositoryFilterValue = Annotated[str, Meta(min_length=2, max_length=256, pattern='\\A(?:^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$)\\Z')]
RepositoryName = Annotated[str, Meta(min_length=2, max_length=256, pattern='\\A(?:[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*)\\Z')]
RepositoryPolicyText = Annotated[str, Meta(min_length=0, max_length=10240)]
RepositoryTemplateDescription = Annotated[str, Meta(max_length=256)]
ResourceId = str
ScanFrequency = Literal["SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"]
ScanOnPushFlag = bool
ScanStatus = Literal["IN_PROGRESS", "COMPLETE", "FAILED", "UNSUPPORTED_IMAGE", "ACTIVE", "PENDING", "SCAN_ELIGIBILITY_EXPIRED", "FINDINGS_UNAVAILABLE", "LIMIT_EXCEEDED", "IMAGE_ARCHIVED", "IMAGE_SIZE_EXCEEDED"]
ScanStatusDescription = str
ScanTimestamp = float
ScanType = Literal["BASIC", "ENHANCED"]
ScanningConfigurationFailureCode = Literal["REPOSITORY_NOT_FOUND"]
ScanningConfigurationFailureReason = str
ScanningRepositoryFilterType = Literal["WILDCARD"]
ScanningRepositoryFilterValue = Annotated[str, Meta(min_length=1, max_length=255, pattern='\\A(?:^[a-z0-9*]+(?:[._\\-/][a-z0-9*]+)*$)\\Z')]
Score = float
ScoringVector = str
Severity = str
SeverityCount = Annotated[int, Meta(ge=0, le=2147483647)]
SigningProfileArn = Annotated[str, Meta(max_length=200, pattern='\\A(?:^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\\/signing-profiles\\/[a-zA-Z0-9_]{2,}$)\\Z')]
SigningRepositoryFilterType = Literal["WILDCARD_MATCH"]
SigningRepositoryFilterValue = Annotated[str, Meta(min_length=1, max_length=256, pattern='\\A(?:^(?:[a-z0-9*]+(?:[._-][a-z0-9*]+)*/)*[a-z0-9*]+(?:[._-][a-z0-9*]+)*$)\\Z')]
SigningStatus = Literal["IN_PROGRESS", "COMPLETE", "FAILED"]
SigningStatusFailureCode = str
SigningStatusFailureReason = str
Source = str
SourceLayerHash = str
Status = str
String = str
TagKey = str
TagStatus = Literal["TAGGED", "UNTAGGED", "ANY"]
TagValue = str
TargetStorageClass = Literal["STANDARD", "ARCHIVE"]
Title = str
Type = str
UpdatedTimestamp = float
UploadId = Annotated[str, Meta(pattern='\\A(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\\Z')]
UpstreamRegistry = Literal["ecr", "ecr-public", "quay", "k8s", "docker-hub", "github-container-registry", "azure-container-registry", "gitlab-container-registry", "chainguard"]
Url = str
Version = str
VulnerabilityId = str
VulnerabilitySourceUpdateTimestamp = float
VulnerablePackageName = str
Annotations = dict[String, String]
ArtifactTypeList = Annotated[list[ArtifactType], Meta(min_length=0, max_length=5)]
AttributeList = Annotated[list["Attribute"], Meta(min_length=0, max_length=50)]
AuthorizationDataList = list["AuthorizationData"]
BatchedOperationLayerDigestList = Annotated[list[BatchedOperationLayerDigest], Meta(min_length=1, max_length=100)]
CvssScoreAdjustmentList = list["CvssScoreAdjustment"]
CvssScoreList = list["CvssScore"]
EnhancedImageScanFindingList = list["EnhancedImageScanFinding"]
FindingSeverityCounts = dict[FindingSeverity, SeverityCount]
GetAuthorizationTokenRegistryIdList = Annotated[list[RegistryId], Meta(min_length=1, max_length=10)]
ImageDetailList = list["ImageDetail"]
ImageFailureList = list["ImageFailure"]
ImageIdentifierList = Annotated[list["ImageIdentifier"], Meta(min_length=1, max_length=100)]
ImageList = list["Image"]
ImageReferrerList = list["ImageReferrer"]
ImageReplicationStatusList = list["ImageReplicationStatus"]
ImageScanFindingList = list["ImageScanFinding"]
ImageSigningStatusList = list["ImageSigningStatus"]
ImageTagList = list[ImageTag]
ImageTagMutabilityExclusionFilters = Annotated[list["ImageTagMutabilityExclusionFilter"], Meta(min_length=1, max_length=5)]
ImageTagsList = list[ImageTag]
LayerDigestList = Annotated[list[LayerDigest], Meta(min_length=1, max_length=100)]
LayerFailureList = list["LayerFailure"]
LayerList = list["Layer"]
LifecyclePolicyPreviewResultList = list["LifecyclePolicyPreviewResult"]
MediaTypeList = Annotated[list[MediaType], Meta(min_length=1, max_length=100)]
PrefixList = list[Prefix]
PullThroughCacheRuleList = list["PullThroughCacheRule"]
PullThroughCacheRuleRepositoryPrefixList = Annotated[list[PullThroughCacheRuleRepositoryPrefix], Meta(min_length=1, max_length=100)]
PullTimeUpdateExclusionList = Annotated[list[PrincipalArn], Meta(min_length=0, max_length=100)]
RCTAppliedForList = list[RCTAppliedFor]
ReferenceUrlsList = list[Url]
RegistryScanningRuleList = Annotated[list["RegistryScanningRule"], Meta(min_length=0, max_length=2)]
RelatedVulnerabilitiesList = list[RelatedVulnerability]
ReplicationBackfillResultList = list["ReplicationBackfillResult"]
ReplicationBackfillSummaryList = list["ReplicationBackfillSummary"]
ReplicationDestinationList = Annotated[list["ReplicationDestination"], Meta(min_length=0, max_length=100)]
ReplicationErrorList = list[ReplicationError]
ReplicationRuleList = Annotated[list["ReplicationRule"], Meta(min_length=0, max_length=25)]
RepositoryCreationTemplateList = list["RepositoryCreationTemplate"]
RepositoryFilterList = Annotated[list["RepositoryFilter"], Meta(min_length=1, max_length=100)]
RepositoryList = list["Repository"]
RepositoryNameList = Annotated[list[RepositoryName], Meta(min_length=1, max_length=100)]
RepositoryScanningConfigurationFailureList = list["RepositoryScanningConfigurationFailure"]
RepositoryScanningConfigurationList = list["RepositoryScanningConfiguration"]
ResourceList = list["Resource"]
ScanningConfigurationRepositoryNameList = Annotated[list[RepositoryName], Meta(min_length=1, max_length=25)]
ScanningRepositoryFilterList = Annotated[list["ScanningRepositoryFilter"], Meta(min_length=0, max_length=100)]
SigningRepositoryFilterList = Annotated[list["SigningRepositoryFilter"], Meta(min_length=1, max_length=100)]
SigningRuleList = Annotated[list["SigningRule"], Meta(min_length=0, max_length=10)]
TagKeyList = list[TagKey]
TagList = list["Tag"]
Tags = dict[TagKey, TagValue]
TransitioningImageTotalCounts = list["TransitioningImageTotalCount"]
VulnerablePackagesList = list["VulnerablePackage"]


class Attribute(Shape, kw_only=True):
    key: AttributeKey
    value: AttributeValue | None = None

class AuthorizationData(Shape, kw_only=True):
    authorizationToken: Base64 | None = None
    expiresAt: ExpirationTimestamp | None = None
    proxyEndpoint: ProxyEndpoint | None = None

class AwsEcrContainerImageDetails(Shape, kw_only=True):
    architecture: Arch | None = None
    author: Author | None = None
    imageHash: ImageDigest | None = None
    imageTags: ImageTagsList | None = None
    platform: Platform | None = None
    pushedAt: Date | None = None
    lastInUseAt: Date | None = None
    inUseCount: InUseCount | None = None
    registry: RegistryId | None = None
    repositoryName: RepositoryName | None = None

class BatchCheckLayerAvailabilityRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    layerDigests: BatchedOperationLayerDigestList

class BatchCheckLayerAvailabilityResponse(Shape, kw_only=True):
    layers: LayerList | None = None
    failures: LayerFailureList | None = None

class BatchDeleteImageRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageIds: ImageIdentifierList

class BatchDeleteImageResponse(Shape, kw_only=True):
    imageIds: ImageIdentifierList | None = None
    failures: ImageFailureList | None = None

class BatchGetImageRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageIds: ImageIdentifierList
    acceptedMediaTypes: MediaTypeList | None = None

class BatchGetImageResponse(Shape, kw_only=True):
    images: ImageList | None = None
    failures: ImageFailureList | None = None

class BatchGetRepositoryScanningConfigurationRequest(Shape, kw_only=True):
    repositoryNames: ScanningConfigurationRepositoryNameList

class BatchGetRepositoryScanningConfigurationResponse(Shape, kw_only=True):
    scanningConfigurations: RepositoryScanningConfigurationList | None = None
    failures: RepositoryScanningConfigurationFailureList | None = None

class BlockedByOrganizationPolicyException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class CompleteLayerUploadRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    uploadId: UploadId
    layerDigests: LayerDigestList

class CompleteLayerUploadResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    uploadId: UploadId | None = None
    layerDigest: LayerDigest | None = None

class CreatePullThroughCacheRuleRequest(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix
    upstreamRegistryUrl: Url
    registryId: RegistryId | None = None
    upstreamRegistry: UpstreamRegistry | None = None
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None
    upstreamRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None

class CreatePullThroughCacheRuleResponse(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    upstreamRegistryUrl: Url | None = None
    createdAt: CreationTimestamp | None = None
    registryId: RegistryId | None = None
    upstreamRegistry: UpstreamRegistry | None = None
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None
    upstreamRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None

class CreateRepositoryCreationTemplateRequest(Shape, kw_only=True):
    prefix: Prefix
    description: RepositoryTemplateDescription | None = None
    encryptionConfiguration: EncryptionConfigurationForRepositoryCreationTemplate | None = None
    resourceTags: TagList | None = None
    imageTagMutability: ImageTagMutability | None = None
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None
    repositoryPolicy: RepositoryPolicyText | None = None
    lifecyclePolicy: LifecyclePolicyTextForRepositoryCreationTemplate | None = None
    appliedFor: RCTAppliedForList
    customRoleArn: CustomRoleArn | None = None

class CreateRepositoryCreationTemplateResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryCreationTemplate: RepositoryCreationTemplate | None = None

class CreateRepositoryRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    tags: TagList | None = None
    imageTagMutability: ImageTagMutability | None = None
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None
    imageScanningConfiguration: ImageScanningConfiguration | None = None
    encryptionConfiguration: EncryptionConfiguration | None = None

class CreateRepositoryResponse(Shape, kw_only=True):
    repository: Repository | None = None

class CvssScore(Shape, kw_only=True):
    baseScore: BaseScore | None = None
    scoringVector: ScoringVector | None = None
    source: Source | None = None
    version: Version | None = None

class CvssScoreAdjustment(Shape, kw_only=True):
    metric: Metric | None = None
    reason: Reason | None = None

class CvssScoreDetails(Shape, kw_only=True):
    adjustments: CvssScoreAdjustmentList | None = None
    score: Score | None = None
    scoreSource: Source | None = None
    scoringVector: ScoringVector | None = None
    version: Version | None = None

class DeleteLifecyclePolicyRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName

class DeleteLifecyclePolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    lifecyclePolicyText: LifecyclePolicyText | None = None
    lastEvaluatedAt: EvaluationTimestamp | None = None

class DeletePullThroughCacheRuleRequest(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix
    registryId: RegistryId | None = None

class DeletePullThroughCacheRuleResponse(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    upstreamRegistryUrl: Url | None = None
    createdAt: CreationTimestamp | None = None
    registryId: RegistryId | None = None
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None
    upstreamRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None

class DeleteRegistryPolicyRequest(Shape, kw_only=True):
    pass

class DeleteRegistryPolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    policyText: RegistryPolicyText | None = None

class DeleteReplication(Shape, kw_only=True):
    enabled: DeleteReplicationFlag

class DeleteRepositoryCreationTemplateRequest(Shape, kw_only=True):
    prefix: Prefix

class DeleteRepositoryCreationTemplateResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryCreationTemplate: RepositoryCreationTemplate | None = None

class DeleteRepositoryPolicyRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName

class DeleteRepositoryPolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    policyText: RepositoryPolicyText | None = None

class DeleteRepositoryRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    force: ForceFlag | None = None

class DeleteRepositoryResponse(Shape, kw_only=True):
    repository: Repository | None = None

class DeleteSigningConfigurationRequest(Shape, kw_only=True):
    pass

class DeleteSigningConfigurationResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    signingConfiguration: SigningConfiguration | None = None

class DeregisterPullTimeUpdateExclusionRequest(Shape, kw_only=True):
    principalArn: PrincipalArn

class DeregisterPullTimeUpdateExclusionResponse(Shape, kw_only=True):
    principalArn: PrincipalArn | None = None

class DescribeImageReplicationStatusRequest(Shape, kw_only=True):
    repositoryName: RepositoryName
    imageId: ImageIdentifier
    registryId: RegistryId | None = None

class DescribeImageReplicationStatusResponse(Shape, kw_only=True):
    repositoryName: RepositoryName | None = None
    imageId: ImageIdentifier | None = None
    replicationStatuses: ImageReplicationStatusList | None = None

class DescribeImageScanFindingsRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageId: ImageIdentifier
    nextToken: NextToken | None = None
    maxResults: MaxResults | None = None

class DescribeImageScanFindingsResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageId: ImageIdentifier | None = None
    imageScanStatus: ImageScanStatus | None = None
    imageScanFindings: ImageScanFindings | None = None
    nextToken: NextToken | None = None

class DescribeImageSigningStatusRequest(Shape, kw_only=True):
    repositoryName: RepositoryName
    imageId: ImageIdentifier
    registryId: RegistryId | None = None

class DescribeImageSigningStatusResponse(Shape, kw_only=True):
    repositoryName: RepositoryName | None = None
    imageId: ImageIdentifier | None = None
    registryId: RegistryId | None = None
    signingStatuses: ImageSigningStatusList | None = None

class DescribeImagesFilter(Shape, kw_only=True):
    tagStatus: TagStatus | None = None
    imageStatus: ImageStatusFilter | None = None

class DescribeImagesRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageIds: ImageIdentifierList | None = None
    nextToken: NextToken | None = None
    maxResults: MaxResults | None = None
    filter: DescribeImagesFilter | None = None

class DescribeImagesResponse(Shape, kw_only=True):
    imageDetails: ImageDetailList | None = None
    nextToken: NextToken | None = None

class DescribePullThroughCacheRulesRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    ecrRepositoryPrefixes: PullThroughCacheRuleRepositoryPrefixList | None = None
    nextToken: NextToken | None = None
    maxResults: MaxResults | None = None

class DescribePullThroughCacheRulesResponse(Shape, kw_only=True):
    pullThroughCacheRules: PullThroughCacheRuleList | None = None
    nextToken: NextToken | None = None

class DescribeRegistryRequest(Shape, kw_only=True):
    pass

class DescribeRegistryResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    replicationConfiguration: ReplicationConfiguration | None = None

class DescribeReplicationBackfillResultsRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    replicationBackfillId: ReplicationBackfillId
    resultStatusFilter: ReplicationBackfillResultStatus | None = None
    maxResults: MaxResults | None = None
    nextToken: NextToken | None = None

class DescribeReplicationBackfillResultsResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    replicationBackfillId: ReplicationBackfillId | None = None
    destination: ReplicationDestination | None = None
    status: ReplicationBackfillStatus | None = None
    failureCode: ReplicationBackfillError | None = None
    progress: ReplicationBackfillProgress | None = None
    results: ReplicationBackfillResultList | None = None
    startedAt: Date | None = None
    endedAt: Date | None = None
    nextToken: NextToken | None = None

class DescribeRepositoriesRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryNames: RepositoryNameList | None = None
    nextToken: NextToken | None = None
    maxResults: MaxResults | None = None

class DescribeRepositoriesResponse(Shape, kw_only=True):
    repositories: RepositoryList | None = None
    nextToken: NextToken | None = None

class DescribeRepositoryCreationTemplatesRequest(Shape, kw_only=True):
    prefixes: PrefixList | None = None
    nextToken: NextToken | None = None
    maxResults: MaxResults | None = None

class DescribeRepositoryCreationTemplatesResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryCreationTemplates: RepositoryCreationTemplateList | None = None
    nextToken: NextToken | None = None

class EmptyUploadException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class EncryptionConfiguration(Shape, kw_only=True):
    encryptionType: EncryptionType
    kmsKey: KmsKey | None = None

class EncryptionConfigurationForRepositoryCreationTemplate(Shape, kw_only=True):
    encryptionType: EncryptionType
    kmsKey: KmsKeyForRepositoryCreationTemplate | None = None

class EnhancedImageScanFinding(Shape, kw_only=True):
    awsAccountId: RegistryId | None = None
    description: FindingDescription | None = None
    findingArn: FindingArn | None = None
    firstObservedAt: Date | None = None
    lastObservedAt: Date | None = None
    packageVulnerabilityDetails: PackageVulnerabilityDetails | None = None
    remediation: Remediation | None = None
    resources: ResourceList | None = None
    score: Score | None = None
    scoreDetails: ScoreDetails | None = None
    severity: Severity | None = None
    status: Status | None = None
    title: Title | None = None
    type: Type | None = None
    updatedAt: Date | None = None
    fixAvailable: FixAvailable | None = None
    exploitAvailable: ExploitAvailable | None = None

class ExclusionAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ExclusionNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class GetAccountSettingRequest(Shape, kw_only=True):
    name: AccountSettingName

class GetAccountSettingResponse(Shape, kw_only=True):
    name: AccountSettingName | None = None
    value: AccountSettingName | None = None

class GetAuthorizationTokenRequest(Shape, kw_only=True):
    registryIds: GetAuthorizationTokenRegistryIdList | None = None

class GetAuthorizationTokenResponse(Shape, kw_only=True):
    authorizationData: AuthorizationDataList | None = None

class GetDownloadUrlForLayerRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    layerDigest: LayerDigest

class GetDownloadUrlForLayerResponse(Shape, kw_only=True):
    downloadUrl: Url | None = None
    layerDigest: LayerDigest | None = None

class GetLifecyclePolicyPreviewRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageIds: ImageIdentifierList | None = None
    nextToken: NextToken | None = None
    maxResults: LifecyclePreviewMaxResults | None = None
    filter: LifecyclePolicyPreviewFilter | None = None

class GetLifecyclePolicyPreviewResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    lifecyclePolicyText: LifecyclePolicyText | None = None
    status: LifecyclePolicyPreviewStatus | None = None
    nextToken: NextToken | None = None
    previewResults: LifecyclePolicyPreviewResultList | None = None
    summary: LifecyclePolicyPreviewSummary | None = None

class GetLifecyclePolicyRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName

class GetLifecyclePolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    lifecyclePolicyText: LifecyclePolicyText | None = None
    lastEvaluatedAt: EvaluationTimestamp | None = None

class GetRegistryPolicyRequest(Shape, kw_only=True):
    pass

class GetRegistryPolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    policyText: RegistryPolicyText | None = None

class GetRegistryScanningConfigurationRequest(Shape, kw_only=True):
    pass

class GetRegistryScanningConfigurationResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    scanningConfiguration: RegistryScanningConfiguration | None = None

class GetRepositoryPolicyRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName

class GetRepositoryPolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    policyText: RepositoryPolicyText | None = None

class GetSigningConfigurationRequest(Shape, kw_only=True):
    pass

class GetSigningConfigurationResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    signingConfiguration: SigningConfiguration | None = None

class Image(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageId: ImageIdentifier | None = None
    imageManifest: ImageManifest | None = None
    imageManifestMediaType: MediaType | None = None

class ImageAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ImageArchivedException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ImageDetail(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageDigest: ImageDigest | None = None
    imageTags: ImageTagList | None = None
    imageSizeInBytes: ImageSizeInBytes | None = None
    imagePushedAt: PushTimestamp | None = None
    imageScanStatus: ImageScanStatus | None = None
    imageScanFindingsSummary: ImageScanFindingsSummary | None = None
    imageManifestMediaType: MediaType | None = None
    artifactMediaType: MediaType | None = None
    lastRecordedPullTime: RecordedPullTimestamp | None = None
    subjectManifestDigest: ImageDigest | None = None
    imageStatus: ImageStatus | None = None
    lastArchivedAt: LastArchivedAtTimestamp | None = None
    lastActivatedAt: LastActivatedAtTimestamp | None = None

class ImageDigestDoesNotMatchException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ImageFailure(Shape, kw_only=True):
    imageId: ImageIdentifier | None = None
    failureCode: ImageFailureCode | None = None
    failureReason: ImageFailureReason | None = None

class ImageIdentifier(Shape, kw_only=True):
    imageDigest: ImageDigest | None = None
    imageTag: ImageTag | None = None

class ImageNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ImageReferrer(Shape, kw_only=True):
    digest: ImageDigest
    mediaType: MediaType
    artifactType: ArtifactType | None = None
    size: ImageSizeInBytes
    annotations: Annotations | None = None
    artifactStatus: ArtifactStatus | None = None

class ImageReplicationStatus(Shape, kw_only=True):
    region: Region | None = None
    registryId: RegistryId | None = None
    status: ReplicationStatus | None = None
    failureCode: ReplicationError | None = None

class ImageScanFinding(Shape, kw_only=True):
    name: FindingName | None = None
    description: FindingDescription | None = None
    uri: Url | None = None
    severity: FindingSeverity | None = None
    attributes: AttributeList | None = None

class ImageScanFindings(Shape, kw_only=True):
    imageScanCompletedAt: ScanTimestamp | None = None
    vulnerabilitySourceUpdatedAt: VulnerabilitySourceUpdateTimestamp | None = None
    findingSeverityCounts: FindingSeverityCounts | None = None
    findings: ImageScanFindingList | None = None
    enhancedFindings: EnhancedImageScanFindingList | None = None

class ImageScanFindingsSummary(Shape, kw_only=True):
    imageScanCompletedAt: ScanTimestamp | None = None
    vulnerabilitySourceUpdatedAt: VulnerabilitySourceUpdateTimestamp | None = None
    findingSeverityCounts: FindingSeverityCounts | None = None

class ImageScanStatus(Shape, kw_only=True):
    status: ScanStatus | None = None
    description: ScanStatusDescription | None = None

class ImageScanningConfiguration(Shape, kw_only=True):
    scanOnPush: ScanOnPushFlag | None = None

class ImageSigningStatus(Shape, kw_only=True):
    signingProfileArn: SigningProfileArn | None = None
    failureCode: SigningStatusFailureCode | None = None
    failureReason: SigningStatusFailureReason | None = None
    status: SigningStatus | None = None

class ImageStorageClassUpdateNotSupportedException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ImageTagAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ImageTagMutabilityExclusionFilter(Shape, kw_only=True):
    filterType: ImageTagMutabilityExclusionFilterType
    filter: ImageTagMutabilityExclusionFilterValue

class InitiateLayerUploadRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName

class InitiateLayerUploadResponse(Shape, kw_only=True):
    uploadId: UploadId | None = None
    partSize: PartSize | None = None

class InvalidLayerException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class InvalidLayerPartException(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    uploadId: UploadId | None = None
    lastValidByteReceived: PartSize | None = None
    message: ExceptionMessage | None = None

class InvalidParameterException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class InvalidTagParameterException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class KmsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None
    kmsError: KmsError | None = None

class Layer(Shape, kw_only=True):
    layerDigest: LayerDigest | None = None
    layerAvailability: LayerAvailability | None = None
    layerSize: LayerSizeInBytes | None = None
    mediaType: MediaType | None = None

class LayerAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LayerFailure(Shape, kw_only=True):
    layerDigest: BatchedOperationLayerDigest | None = None
    failureCode: LayerFailureCode | None = None
    failureReason: LayerFailureReason | None = None

class LayerInaccessibleException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LayerPartTooSmallException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LayersNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LifecyclePolicyNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LifecyclePolicyPreviewFilter(Shape, kw_only=True):
    tagStatus: TagStatus | None = None

class LifecyclePolicyPreviewInProgressException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LifecyclePolicyPreviewNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class LifecyclePolicyPreviewResult(Shape, kw_only=True):
    imageTags: ImageTagList | None = None
    imageDigest: ImageDigest | None = None
    imagePushedAt: PushTimestamp | None = None
    action: LifecyclePolicyRuleAction | None = None
    appliedRulePriority: LifecyclePolicyRulePriority | None = None
    storageClass: LifecyclePolicyStorageClass | None = None

class LifecyclePolicyPreviewSummary(Shape, kw_only=True):
    expiringImageTotalCount: ImageCount | None = None
    transitioningImageTotalCounts: TransitioningImageTotalCounts | None = None

class LifecyclePolicyRuleAction(Shape, kw_only=True):
    type: ImageActionType | None = None
    targetStorageClass: LifecyclePolicyTargetStorageClass | None = None

class LimitExceededException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ListImageReferrersFilter(Shape, kw_only=True):
    artifactTypes: ArtifactTypeList | None = None
    artifactStatus: ArtifactStatusFilter | None = None

class ListImageReferrersRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    subjectId: SubjectIdentifier
    filter: ListImageReferrersFilter | None = None
    nextToken: NextToken | None = None
    maxResults: FiftyMaxResults | None = None

class ListImageReferrersResponse(Shape, kw_only=True):
    referrers: ImageReferrerList | None = None
    nextToken: NextToken | None = None

class ListImagesFilter(Shape, kw_only=True):
    tagStatus: TagStatus | None = None
    imageStatus: ImageStatusFilter | None = None

class ListImagesRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    nextToken: NextToken | None = None
    maxResults: MaxResults | None = None
    filter: ListImagesFilter | None = None

class ListImagesResponse(Shape, kw_only=True):
    imageIds: ImageIdentifierList | None = None
    nextToken: NextToken | None = None

class ListPullTimeUpdateExclusionsRequest(Shape, kw_only=True):
    maxResults: MaxResults | None = None
    nextToken: NextToken | None = None

class ListPullTimeUpdateExclusionsResponse(Shape, kw_only=True):
    pullTimeUpdateExclusions: PullTimeUpdateExclusionList | None = None
    nextToken: NextToken | None = None

class ListReplicationBackfillsRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    maxResults: FiftyMaxResults | None = None
    nextToken: NextToken | None = None

class ListReplicationBackfillsResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    backfills: ReplicationBackfillSummaryList | None = None
    nextToken: NextToken | None = None

class ListTagsForResourceRequest(Shape, kw_only=True):
    resourceArn: Arn

class ListTagsForResourceResponse(Shape, kw_only=True):
    tags: TagList | None = None

class PackageVulnerabilityDetails(Shape, kw_only=True):
    cvss: CvssScoreList | None = None
    referenceUrls: ReferenceUrlsList | None = None
    relatedVulnerabilities: RelatedVulnerabilitiesList | None = None
    source: Source | None = None
    sourceUrl: Url | None = None
    vendorCreatedAt: Date | None = None
    vendorSeverity: Severity | None = None
    vendorUpdatedAt: Date | None = None
    vulnerabilityId: VulnerabilityId | None = None
    vulnerablePackages: VulnerablePackagesList | None = None

class PullThroughCacheRule(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    upstreamRegistryUrl: Url | None = None
    createdAt: CreationTimestamp | None = None
    registryId: RegistryId | None = None
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None
    upstreamRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    upstreamRegistry: UpstreamRegistry | None = None
    updatedAt: UpdatedTimestamp | None = None

class PullThroughCacheRuleAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class PullThroughCacheRuleNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class PutAccountSettingRequest(Shape, kw_only=True):
    name: AccountSettingName
    value: AccountSettingValue

class PutAccountSettingResponse(Shape, kw_only=True):
    name: AccountSettingName | None = None
    value: AccountSettingValue | None = None

class PutImageRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageManifest: ImageManifest
    imageManifestMediaType: MediaType | None = None
    imageTag: ImageTag | None = None
    imageDigest: ImageDigest | None = None

class PutImageResponse(Shape, kw_only=True):
    image: Image | None = None

class PutImageScanningConfigurationRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageScanningConfiguration: ImageScanningConfiguration

class PutImageScanningConfigurationResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageScanningConfiguration: ImageScanningConfiguration | None = None

class PutImageTagMutabilityRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageTagMutability: ImageTagMutability
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None

class PutImageTagMutabilityResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageTagMutability: ImageTagMutability | None = None
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None

class PutLifecyclePolicyRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    lifecyclePolicyText: LifecyclePolicyText

class PutLifecyclePolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    lifecyclePolicyText: LifecyclePolicyText | None = None

class PutRegistryPolicyRequest(Shape, kw_only=True):
    policyText: RegistryPolicyText

class PutRegistryPolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    policyText: RegistryPolicyText | None = None

class PutRegistryScanningConfigurationRequest(Shape, kw_only=True):
    scanType: ScanType | None = None
    rules: RegistryScanningRuleList | None = None

class PutRegistryScanningConfigurationResponse(Shape, kw_only=True):
    registryScanningConfiguration: RegistryScanningConfiguration | None = None

class PutReplicationConfigurationRequest(Shape, kw_only=True):
    replicationConfiguration: ReplicationConfiguration

class PutReplicationConfigurationResponse(Shape, kw_only=True):
    replicationConfiguration: ReplicationConfiguration | None = None

class PutSigningConfigurationRequest(Shape, kw_only=True):
    signingConfiguration: SigningConfiguration

class PutSigningConfigurationResponse(Shape, kw_only=True):
    signingConfiguration: SigningConfiguration | None = None

class Recommendation(Shape, kw_only=True):
    url: Url | None = None
    text: RecommendationText | None = None

class ReferencedImagesNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class RegisterPullTimeUpdateExclusionRequest(Shape, kw_only=True):
    principalArn: PrincipalArn

class RegisterPullTimeUpdateExclusionResponse(Shape, kw_only=True):
    principalArn: PrincipalArn | None = None
    createdAt: CreationTimestamp | None = None

class RegistryPolicyNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class RegistryScanningConfiguration(Shape, kw_only=True):
    scanType: ScanType | None = None
    rules: RegistryScanningRuleList | None = None

class RegistryScanningRule(Shape, kw_only=True):
    scanFrequency: ScanFrequency
    repositoryFilters: ScanningRepositoryFilterList

class Remediation(Shape, kw_only=True):
    recommendation: Recommendation | None = None

class ReplicationBackfillInProgressException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ReplicationBackfillInvalidStatusException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ReplicationBackfillNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ReplicationBackfillProgress(Shape, kw_only=True):
    totalReplicationCount: NonNegativeInteger
    completedReplicationCount: NonNegativeInteger
    failedReplicationCount: NonNegativeInteger
    failureCodes: ReplicationErrorList

class ReplicationBackfillResult(Shape, kw_only=True):
    repositoryName: RepositoryName
    imageId: ImageIdentifier
    status: ReplicationBackfillResultStatus
    failureCode: ReplicationError | None = None
    subImageFailureCodes: ReplicationErrorList | None = None

class ReplicationBackfillSummary(Shape, kw_only=True):
    replicationBackfillId: ReplicationBackfillId
    destination: ReplicationDestination
    status: ReplicationBackfillStatus
    failureCode: ReplicationBackfillError | None = None
    progress: ReplicationBackfillProgress | None = None
    startedAt: Date
    endedAt: Date | None = None

class ReplicationConfiguration(Shape, kw_only=True):
    rules: ReplicationRuleList

class ReplicationDestination(Shape, kw_only=True):
    region: Region
    registryId: RegistryId

class ReplicationRule(Shape, kw_only=True):
    destinations: ReplicationDestinationList
    repositoryFilters: RepositoryFilterList | None = None
    deleteReplication: DeleteReplication | None = None

class Repository(Shape, kw_only=True):
    repositoryArn: Arn | None = None
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    repositoryUri: Url | None = None
    createdAt: CreationTimestamp | None = None
    imageTagMutability: ImageTagMutability | None = None
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None
    imageScanningConfiguration: ImageScanningConfiguration | None = None
    encryptionConfiguration: EncryptionConfiguration | None = None

class RepositoryAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class RepositoryCreationTemplate(Shape, kw_only=True):
    prefix: Prefix | None = None
    description: RepositoryTemplateDescription | None = None
    encryptionConfiguration: EncryptionConfigurationForRepositoryCreationTemplate | None = None
    resourceTags: TagList | None = None
    imageTagMutability: ImageTagMutability | None = None
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None
    repositoryPolicy: RepositoryPolicyText | None = None
    lifecyclePolicy: LifecyclePolicyTextForRepositoryCreationTemplate | None = None
    appliedFor: RCTAppliedForList | None = None
    customRoleArn: CustomRoleArn | None = None
    createdAt: Date | None = None
    updatedAt: Date | None = None

class RepositoryFilter(Shape, kw_only=True):
    filter: RepositoryFilterValue
    filterType: RepositoryFilterType

class RepositoryNotEmptyException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class RepositoryNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class RepositoryPolicyNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class RepositoryScanningConfiguration(Shape, kw_only=True):
    repositoryArn: Arn | None = None
    repositoryName: RepositoryName | None = None
    scanOnPush: ScanOnPushFlag | None = None
    scanFrequency: ScanFrequency | None = None
    appliedScanFilters: ScanningRepositoryFilterList | None = None

class RepositoryScanningConfigurationFailure(Shape, kw_only=True):
    repositoryName: RepositoryName | None = None
    failureCode: ScanningConfigurationFailureCode | None = None
    failureReason: ScanningConfigurationFailureReason | None = None

class Resource(Shape, kw_only=True):
    details: ResourceDetails | None = None
    id: ResourceId | None = None
    tags: Tags | None = None
    type: Type | None = None

class ResourceDetails(Shape, kw_only=True):
    awsEcrContainerImage: AwsEcrContainerImageDetails | None = None

class ScanNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ScanningRepositoryFilter(Shape, kw_only=True):
    filter: ScanningRepositoryFilterValue
    filterType: ScanningRepositoryFilterType

class ScoreDetails(Shape, kw_only=True):
    cvss: CvssScoreDetails | None = None

class SecretNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ServerException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class SetRepositoryPolicyRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    policyText: RepositoryPolicyText
    force: ForceFlag | None = None

class SetRepositoryPolicyResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    policyText: RepositoryPolicyText | None = None

class SigningConfiguration(Shape, kw_only=True):
    rules: SigningRuleList

class SigningConfigurationNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class SigningRepositoryFilter(Shape, kw_only=True):
    filter: SigningRepositoryFilterValue
    filterType: SigningRepositoryFilterType

class SigningRule(Shape, kw_only=True):
    signingProfileArn: SigningProfileArn
    repositoryFilters: SigningRepositoryFilterList | None = None

class StartImageScanRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageId: ImageIdentifier

class StartImageScanResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageId: ImageIdentifier | None = None
    imageScanStatus: ImageScanStatus | None = None

class StartLifecyclePolicyPreviewRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    lifecyclePolicyText: LifecyclePolicyText | None = None

class StartLifecyclePolicyPreviewResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    lifecyclePolicyText: LifecyclePolicyText | None = None
    status: LifecyclePolicyPreviewStatus | None = None

class StartReplicationBackfillRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    destination: ReplicationDestination

class StartReplicationBackfillResponse(Shape, kw_only=True):
    replicationBackfillId: ReplicationBackfillId | None = None
    registryId: RegistryId | None = None
    destination: ReplicationDestination | None = None
    status: ReplicationBackfillStatus | None = None
    startedAt: Date | None = None

class StopReplicationBackfillRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    replicationBackfillId: ReplicationBackfillId

class StopReplicationBackfillResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    replicationBackfillId: ReplicationBackfillId | None = None
    destination: ReplicationDestination | None = None
    status: ReplicationBackfillStatus | None = None
    startedAt: Date | None = None

class SubjectIdentifier(Shape, kw_only=True):
    imageDigest: ImageDigest

class Tag(Shape, kw_only=True):
    Key: TagKey
    Value: TagValue

class TagResourceRequest(Shape, kw_only=True):
    resourceArn: Arn
    tags: TagList

class TagResourceResponse(Shape, kw_only=True):
    pass

class TemplateAlreadyExistsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class TemplateNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class TooManyTagsException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class TransitioningImageTotalCount(Shape, kw_only=True):
    targetStorageClass: LifecyclePolicyTargetStorageClass | None = None
    imageTotalCount: ImageCount | None = None

class UnableToAccessSecretException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UnableToDecryptSecretValueException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UnableToGetUpstreamImageException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UnableToGetUpstreamLayerException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UnableToListUpstreamImageReferrersException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UnsupportedImageTypeException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UnsupportedUpstreamRegistryException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class UntagResourceRequest(Shape, kw_only=True):
    resourceArn: Arn
    tagKeys: TagKeyList

class UntagResourceResponse(Shape, kw_only=True):
    pass

class UpdateImageStorageClassRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    imageId: ImageIdentifier
    targetStorageClass: TargetStorageClass

class UpdateImageStorageClassResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    imageId: ImageIdentifier | None = None
    imageStatus: ImageStatus | None = None

class UpdatePullThroughCacheRuleRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None

class UpdatePullThroughCacheRuleResponse(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    registryId: RegistryId | None = None
    updatedAt: UpdatedTimestamp | None = None
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None
    upstreamRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None

class UpdateRepositoryCreationTemplateRequest(Shape, kw_only=True):
    prefix: Prefix
    description: RepositoryTemplateDescription | None = None
    encryptionConfiguration: EncryptionConfigurationForRepositoryCreationTemplate | None = None
    resourceTags: TagList | None = None
    imageTagMutability: ImageTagMutability | None = None
    imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters | None = None
    repositoryPolicy: RepositoryPolicyText | None = None
    lifecyclePolicy: LifecyclePolicyTextForRepositoryCreationTemplate | None = None
    appliedFor: RCTAppliedForList | None = None
    customRoleArn: CustomRoleArn | None = None

class UpdateRepositoryCreationTemplateResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryCreationTemplate: RepositoryCreationTemplate | None = None

class UploadLayerPartRequest(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName
    uploadId: UploadId
    partFirstByte: PartSize
    partLastByte: PartSize
    layerPartBlob: LayerPartBlob

class UploadLayerPartResponse(Shape, kw_only=True):
    registryId: RegistryId | None = None
    repositoryName: RepositoryName | None = None
    uploadId: UploadId | None = None
    lastByteReceived: PartSize | None = None

class UploadNotFoundException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class ValidatePullThroughCacheRuleRequest(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix
    registryId: RegistryId | None = None

class ValidatePullThroughCacheRuleResponse(Shape, kw_only=True):
    ecrRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    registryId: RegistryId | None = None
    upstreamRegistryUrl: Url | None = None
    credentialArn: CredentialArn | None = None
    customRoleArn: CustomRoleArn | None = None
    upstreamRepositoryPrefix: PullThroughCacheRuleRepositoryPrefix | None = None
    isValid: IsPTCRuleValid | None = None
    failure: PTCValidateFailure | None = None

class ValidationException(Shape, kw_only=True):
    message: ExceptionMessage | None = None

class VulnerablePackage(Shape, kw_only=True):
    arch: Arch | None = None
    epoch: Epoch | None = None
    filePath: FilePath | None = None
    name: VulnerablePackageName | None = None
    packageManager: PackageManager | None = None
    release: Release | None = None
    sourceLayerHash: SourceLayerHash | None = None
    version: Version | None = None
    fixedInVersion: FixedInVersion | None = None


OPERATIONS: dict[str, Operation] = {
    "BatchCheckLayerAvailability": Operation("BatchCheckLayerAvailability", BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse, ("RepositoryNotFoundException", "InvalidParameterException", "ServerException",)),
    "BatchDeleteImage": Operation("BatchDeleteImage", BatchDeleteImageRequest, BatchDeleteImageResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException",)),
    "BatchGetImage": Operation("BatchGetImage", BatchGetImageRequest, BatchGetImageResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "LimitExceededException", "UnableToGetUpstreamImageException",)),
    "BatchGetRepositoryScanningConfiguration": Operation("BatchGetRepositoryScanningConfiguration", BatchGetRepositoryScanningConfigurationRequest, BatchGetRepositoryScanningConfigurationResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ValidationException",)),
    "CompleteLayerUpload": Operation("CompleteLayerUpload", CompleteLayerUploadRequest, CompleteLayerUploadResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "UploadNotFoundException", "InvalidLayerException", "LayerPartTooSmallException", "LayerAlreadyExistsException", "EmptyUploadException", "KmsException",)),
    "CreatePullThroughCacheRule": Operation("CreatePullThroughCacheRule", CreatePullThroughCacheRuleRequest, CreatePullThroughCacheRuleResponse, ("ServerException", "InvalidParameterException", "ValidationException", "PullThroughCacheRuleAlreadyExistsException", "UnsupportedUpstreamRegistryException", "LimitExceededException", "UnableToAccessSecretException", "SecretNotFoundException", "UnableToDecryptSecretValueException",)),
    "CreateRepository": Operation("CreateRepository", CreateRepositoryRequest, CreateRepositoryResponse, ("ServerException", "InvalidParameterException", "InvalidTagParameterException", "TooManyTagsException", "RepositoryAlreadyExistsException", "LimitExceededException", "KmsException",)),
    "CreateRepositoryCreationTemplate": Operation("CreateRepositoryCreationTemplate", CreateRepositoryCreationTemplateRequest, CreateRepositoryCreationTemplateResponse, ("ServerException", "ValidationException", "InvalidParameterException", "LimitExceededException", "TemplateAlreadyExistsException",)),
    "DeleteLifecyclePolicy": Operation("DeleteLifecyclePolicy", DeleteLifecyclePolicyRequest, DeleteLifecyclePolicyResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "LifecyclePolicyNotFoundException", "ValidationException",)),
    "DeletePullThroughCacheRule": Operation("DeletePullThroughCacheRule", DeletePullThroughCacheRuleRequest, DeletePullThroughCacheRuleResponse, ("ServerException", "InvalidParameterException", "ValidationException", "PullThroughCacheRuleNotFoundException",)),
    "DeleteRegistryPolicy": Operation("DeleteRegistryPolicy", DeleteRegistryPolicyRequest, DeleteRegistryPolicyResponse, ("ServerException", "InvalidParameterException", "RegistryPolicyNotFoundException", "ValidationException",)),
    "DeleteRepository": Operation("DeleteRepository", DeleteRepositoryRequest, DeleteRepositoryResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "RepositoryNotEmptyException", "KmsException",)),
    "DeleteRepositoryCreationTemplate": Operation("DeleteRepositoryCreationTemplate", DeleteRepositoryCreationTemplateRequest, DeleteRepositoryCreationTemplateResponse, ("ServerException", "ValidationException", "InvalidParameterException", "TemplateNotFoundException",)),
    "DeleteRepositoryPolicy": Operation("DeleteRepositoryPolicy", DeleteRepositoryPolicyRequest, DeleteRepositoryPolicyResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "RepositoryPolicyNotFoundException",)),
    "DeleteSigningConfiguration": Operation("DeleteSigningConfiguration", DeleteSigningConfigurationRequest, DeleteSigningConfigurationResponse, ("ServerException", "ValidationException", "SigningConfigurationNotFoundException",)),
    "DeregisterPullTimeUpdateExclusion": Operation("DeregisterPullTimeUpdateExclusion", DeregisterPullTimeUpdateExclusionRequest, DeregisterPullTimeUpdateExclusionResponse, ("InvalidParameterException", "ExclusionNotFoundException", "LimitExceededException", "ValidationException", "ServerException",)),
    "DescribeImageReplicationStatus": Operation("DescribeImageReplicationStatus", DescribeImageReplicationStatusRequest, DescribeImageReplicationStatusResponse, ("ServerException", "InvalidParameterException", "ImageNotFoundException", "RepositoryNotFoundException", "ValidationException",)),
    "DescribeImageScanFindings": Operation("DescribeImageScanFindings", DescribeImageScanFindingsRequest, DescribeImageScanFindingsResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ImageNotFoundException", "ScanNotFoundException", "ValidationException",)),
    "DescribeImageSigningStatus": Operation("DescribeImageSigningStatus", DescribeImageSigningStatusRequest, DescribeImageSigningStatusResponse, ("ServerException", "InvalidParameterException", "ValidationException", "ImageNotFoundException", "RepositoryNotFoundException",)),
    "DescribeImages": Operation("DescribeImages", DescribeImagesRequest, DescribeImagesResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ImageNotFoundException",)),
    "DescribePullThroughCacheRules": Operation("DescribePullThroughCacheRules", DescribePullThroughCacheRulesRequest, DescribePullThroughCacheRulesResponse, ("ServerException", "InvalidParameterException", "ValidationException", "PullThroughCacheRuleNotFoundException",)),
    "DescribeRegistry": Operation("DescribeRegistry", DescribeRegistryRequest, DescribeRegistryResponse, ("ServerException", "InvalidParameterException", "ValidationException",)),
    "DescribeReplicationBackfillResults": Operation("DescribeReplicationBackfillResults", DescribeReplicationBackfillResultsRequest, DescribeReplicationBackfillResultsResponse, ("ServerException", "InvalidParameterException", "ValidationException", "ReplicationBackfillNotFoundException",)),
    "DescribeRepositories": Operation("DescribeRepositories", DescribeRepositoriesRequest, DescribeRepositoriesResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException",)),
    "DescribeRepositoryCreationTemplates": Operation("DescribeRepositoryCreationTemplates", DescribeRepositoryCreationTemplatesRequest, DescribeRepositoryCreationTemplatesResponse, ("ServerException", "ValidationException", "InvalidParameterException",)),
    "GetAccountSetting": Operation("GetAccountSetting", GetAccountSettingRequest, GetAccountSettingResponse, ("ServerException", "ValidationException", "InvalidParameterException",)),
    "GetAuthorizationToken": Operation("GetAuthorizationToken", GetAuthorizationTokenRequest, GetAuthorizationTokenResponse, ("ServerException", "InvalidParameterException",)),
    "GetDownloadUrlForLayer": Operation("GetDownloadUrlForLayer", GetDownloadUrlForLayerRequest, GetDownloadUrlForLayerResponse, ("ServerException", "InvalidParameterException", "LayersNotFoundException", "LayerInaccessibleException", "RepositoryNotFoundException", "UnableToGetUpstreamLayerException",)),
    "GetLifecyclePolicy": Operation("GetLifecyclePolicy", GetLifecyclePolicyRequest, GetLifecyclePolicyResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "LifecyclePolicyNotFoundException", "ValidationException",)),
    "GetLifecyclePolicyPreview": Operation("GetLifecyclePolicyPreview", GetLifecyclePolicyPreviewRequest, GetLifecyclePolicyPreviewResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "LifecyclePolicyPreviewNotFoundException", "ValidationException",)),
    "GetRegistryPolicy": Operation("GetRegistryPolicy", GetRegistryPolicyRequest, GetRegistryPolicyResponse, ("ServerException", "InvalidParameterException", "RegistryPolicyNotFoundException", "ValidationException",)),
    "GetRegistryScanningConfiguration": Operation("GetRegistryScanningConfiguration", GetRegistryScanningConfigurationRequest, GetRegistryScanningConfigurationResponse, ("ServerException", "InvalidParameterException", "ValidationException",)),
    "GetRepositoryPolicy": Operation("GetRepositoryPolicy", GetRepositoryPolicyRequest, GetRepositoryPolicyResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "RepositoryPolicyNotFoundException",)),
    "GetSigningConfiguration": Operation("GetSigningConfiguration", GetSigningConfigurationRequest, GetSigningConfigurationResponse, ("ServerException", "InvalidParameterException", "ValidationException", "SigningConfigurationNotFoundException",)),
    "InitiateLayerUpload": Operation("InitiateLayerUpload", InitiateLayerUploadRequest, InitiateLayerUploadResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "KmsException",)),
    "ListImageReferrers": Operation("ListImageReferrers", ListImageReferrersRequest, ListImageReferrersResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ValidationException", "UnableToListUpstreamImageReferrersException",)),
    "ListImages": Operation("ListImages", ListImagesRequest, ListImagesResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException",)),
    "ListPullTimeUpdateExclusions": Operation("ListPullTimeUpdateExclusions", ListPullTimeUpdateExclusionsRequest, ListPullTimeUpdateExclusionsResponse, ("InvalidParameterException", "ValidationException", "LimitExceededException", "ServerException",)),
    "ListReplicationBackfills": Operation("ListReplicationBackfills", ListReplicationBackfillsRequest, ListReplicationBackfillsResponse, ("ServerException", "InvalidParameterException", "ValidationException",)),
    "ListTagsForResource": Operation("ListTagsForResource", ListTagsForResourceRequest, ListTagsForResourceResponse, ("InvalidParameterException", "RepositoryNotFoundException", "ServerException",)),
    "PutAccountSetting": Operation("PutAccountSetting", PutAccountSettingRequest, PutAccountSettingResponse, ("ServerException", "ValidationException", "InvalidParameterException", "LimitExceededException",)),
    "PutImage": Operation("PutImage", PutImageRequest, PutImageResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ImageAlreadyExistsException", "LayersNotFoundException", "ReferencedImagesNotFoundException", "LimitExceededException", "ImageTagAlreadyExistsException", "ImageDigestDoesNotMatchException", "KmsException",)),
    "PutImageScanningConfiguration": Operation("PutImageScanningConfiguration", PutImageScanningConfigurationRequest, PutImageScanningConfigurationResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ValidationException",)),
    "PutImageTagMutability": Operation("PutImageTagMutability", PutImageTagMutabilityRequest, PutImageTagMutabilityResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException",)),
    "PutLifecyclePolicy": Operation("PutLifecyclePolicy", PutLifecyclePolicyRequest, PutLifecyclePolicyResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "ValidationException",)),
    "PutRegistryPolicy": Operation("PutRegistryPolicy", PutRegistryPolicyRequest, PutRegistryPolicyResponse, ("ServerException", "InvalidParameterException", "ValidationException",)),
    "PutRegistryScanningConfiguration": Operation("PutRegistryScanningConfiguration", PutRegistryScanningConfigurationRequest, PutRegistryScanningConfigurationResponse, ("ServerException", "InvalidParameterException", "ValidationException", "BlockedByOrganizationPolicyException",)),
    "PutReplicationConfiguration": Operation("PutReplicationConfiguration", PutReplicationConfigurationRequest, PutReplicationConfigurationResponse, ("ServerException", "InvalidParameterException", "ValidationException",)),
    "PutSigningConfiguration": Operation("PutSigningConfiguration", PutSigningConfigurationRequest, PutSigningConfigurationResponse, ("ServerException", "InvalidParameterException", "ValidationException",)),
    "RegisterPullTimeUpdateExclusion": Operation("RegisterPullTimeUpdateExclusion", RegisterPullTimeUpdateExclusionRequest, RegisterPullTimeUpdateExclusionResponse, ("InvalidParameterException", "ExclusionAlreadyExistsException", "LimitExceededException", "ValidationException", "ServerException",)),
    "SetRepositoryPolicy": Operation("SetRepositoryPolicy", SetRepositoryPolicyRequest, SetRepositoryPolicyResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException",)),
    "StartImageScan": Operation("StartImageScan", StartImageScanRequest, StartImageScanResponse, ("ServerException", "InvalidParameterException", "UnsupportedImageTypeException", "LimitExceededException", "RepositoryNotFoundException", "ImageNotFoundException", "ValidationException", "ImageArchivedException",)),
    "StartLifecyclePolicyPreview": Operation("StartLifecyclePolicyPreview", StartLifecyclePolicyPreviewRequest, StartLifecyclePolicyPreviewResponse, ("ServerException", "InvalidParameterException", "RepositoryNotFoundException", "LifecyclePolicyNotFoundException", "LifecyclePolicyPreviewInProgressException", "ValidationException",)),
    "StartReplicationBackfill": Operation("StartReplicationBackfill", StartReplicationBackfillRequest, StartReplicationBackfillResponse, ("ServerException", "InvalidParameterException", "ValidationException", "LimitExceededException", "ReplicationBackfillInProgressException",)),
    "StopReplicationBackfill": Operation("StopReplicationBackfill", StopReplicationBackfillRequest, StopReplicationBackfillResponse, ("ServerException", "InvalidParameterException", "ValidationException", "ReplicationBackfillNotFoundException", "ReplicationBackfillInvalidStatusException",)),
    "TagResource": Operation("TagResource", TagResourceRequest, TagResourceResponse, ("InvalidParameterException", "InvalidTagParameterException", "TooManyTagsException", "RepositoryNotFoundException", "ServerException",)),
    "UntagResource": Operation("UntagResource", UntagResourceRequest, UntagResourceResponse, ("InvalidParameterException", "InvalidTagParameterException", "TooManyTagsException", "RepositoryNotFoundException", "ServerException",)),
    "UpdateImageStorageClass": Operation("UpdateImageStorageClass", UpdateImageStorageClassRequest, UpdateImageStorageClassResponse, ("InvalidParameterException", "ImageNotFoundException", "ImageStorageClassUpdateNotSupportedException", "RepositoryNotFoundException", "ServerException", "ValidationException",)),
    "UpdatePullThroughCacheRule": Operation("UpdatePullThroughCacheRule", UpdatePullThroughCacheRuleRequest, UpdatePullThroughCacheRuleResponse, ("ServerException", "InvalidParameterException", "ValidationException", "UnableToAccessSecretException", "PullThroughCacheRuleNotFoundException", "SecretNotFoundException", "UnableToDecryptSecretValueException",)),
    "UpdateRepositoryCreationTemplate": Operation("UpdateRepositoryCreationTemplate", UpdateRepositoryCreationTemplateRequest, UpdateRepositoryCreationTemplateResponse, ("ServerException", "ValidationException", "InvalidParameterException", "TemplateNotFoundException",)),
    "UploadLayerPart": Operation("UploadLayerPart", UploadLayerPartRequest, UploadLayerPartResponse, ("ServerException", "InvalidParameterException", "InvalidLayerPartException", "RepositoryNotFoundException", "UploadNotFoundException", "LimitExceededException", "KmsException",)),
    "ValidatePullThroughCacheRule": Operation("ValidatePullThroughCacheRule", ValidatePullThroughCacheRuleRequest, ValidatePullThroughCacheRuleResponse, ("ServerException", "InvalidParameterException", "ValidationException", "PullThroughCacheRuleNotFoundException",)),
}

ERRORS: dict[str, int] = {
    "BlockedByOrganizationPolicyException": 400,
    "EmptyUploadException": 400,
    "ExclusionAlreadyExistsException": 400,
    "ExclusionNotFoundException": 400,
    "ImageAlreadyExistsException": 400,
    "ImageArchivedException": 400,
    "ImageDigestDoesNotMatchException": 400,
    "ImageNotFoundException": 400,
    "ImageStorageClassUpdateNotSupportedException": 400,
    "ImageTagAlreadyExistsException": 400,
    "InvalidLayerException": 400,
    "InvalidLayerPartException": 400,
    "InvalidParameterException": 400,
    "InvalidTagParameterException": 400,
    "KmsException": 400,
    "LayerAlreadyExistsException": 400,
    "LayerInaccessibleException": 400,
    "LayerPartTooSmallException": 400,
    "LayersNotFoundException": 400,
    "LifecyclePolicyNotFoundException": 400,
    "LifecyclePolicyPreviewInProgressException": 400,
    "LifecyclePolicyPreviewNotFoundException": 400,
    "LimitExceededException": 400,
    "PullThroughCacheRuleAlreadyExistsException": 400,
    "PullThroughCacheRuleNotFoundException": 400,
    "ReferencedImagesNotFoundException": 400,
    "RegistryPolicyNotFoundException": 400,
    "ReplicationBackfillInProgressException": 400,
    "ReplicationBackfillInvalidStatusException": 400,
    "ReplicationBackfillNotFoundException": 400,
    "RepositoryAlreadyExistsException": 400,
    "RepositoryNotEmptyException": 400,
    "RepositoryNotFoundException": 400,
    "RepositoryPolicyNotFoundException": 400,
    "ScanNotFoundException": 400,
    "SecretNotFoundException": 400,
    "ServerException": 500,
    "SigningConfigurationNotFoundException": 400,
    "TemplateAlreadyExistsException": 400,
    "TemplateNotFoundException": 400,
    "TooManyTagsException": 400,
    "UnableToAccessSecretException": 400,
    "UnableToDecryptSecretValueException": 400,
    "UnableToGetUpstreamImageException": 400,
    "UnableToGetUpstreamLayerException": 400,
    "UnableToListUpstreamImageReferrersException": 400,
    "UnsupportedImageTypeException": 400,
    "UnsupportedUpstreamRegistryException": 400,
    "UploadNotFoundException": 400,
    "ValidationException": 400,
}
"""The errors of the model and the HTTP status of each."""
